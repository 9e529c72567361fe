package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
)

//go:embed static
var staticFiles embed.FS

//go:embed templates
var templateFiles embed.FS

// assets serves the style, the script and the icon under a path that holds their
// hash: a browser may keep them for ever, and a new version has a new path.
type assets struct {
	byPath map[string]asset
	paths  map[string]string // by name
}

type asset struct {
	content     []byte
	contentType string
}

// contentTypes are given here and not asked of the machine, whose answer varies.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

func newAssets() *assets {
	a := &assets{byPath: map[string]asset{}, paths: map[string]string{}}
	entries, err := fs.ReadDir(staticFiles, "static")
	if err != nil {
		panic(err) // embedded at build time
	}
	for _, entry := range entries {
		content, err := fs.ReadFile(staticFiles, "static/"+entry.Name())
		if err != nil {
			panic(err) // embedded at build time
		}
		sum := sha256.Sum256(content)
		where := "/static/" + hex.EncodeToString(sum[:8]) + "/" + entry.Name()
		a.byPath[where] = asset{content, contentTypes[path.Ext(entry.Name())]}
		a.paths[entry.Name()] = where
	}
	return a
}

// ServeHTTP answers with an asset under its present path.
func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	found, ok := a.byPath[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", found.contentType)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(found.content) // a reader that went away needs no answer
}

// path returns where the asset of a name is served.
func (a *assets) path(name string) (string, error) {
	where, ok := a.paths[name]
	if !ok {
		return "", fmt.Errorf("no asset %q", name)
	}
	return where, nil
}

// view is one page's templates: the frame, and what stands in it.
type view = *template.Template

func newViews(a *assets) map[string]view {
	layout := template.Must(template.New("").Funcs(template.FuncMap{"asset": a.path}).ParseFS(templateFiles, "templates/layout.html"))
	views := map[string]view{}
	for _, name := range []string{"incidents", "incident", "services", "service", "reports", "problem"} {
		views[name] = template.Must(template.Must(layout.Clone()).ParseFS(templateFiles, "templates/"+name+".html"))
	}
	return views
}
