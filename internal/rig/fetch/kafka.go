//go:build unix

package main

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/evenkeel/evenkeel/internal/rig/parts"
)

//go:embed kafka-pom.xml
var kafkaPOM string

// copyKafka has Maven resolve the broker's artifacts, check them, and copy them into
// folder/kafka-VERSION. Nothing of them is compiled or unpacked.
func copyKafka(folder string) error {
	if !onPath("mvn") {
		if err := install("maven"); err != nil {
			return fmt.Errorf("maven: %w", err)
		}
	}
	return inPlace(folder, filepath.Dir(parts.KafkaJars), func(dir string) error {
		say("copying Kafka %s with Maven, 45 MB", parts.KafkaVersion)
		project, err := os.MkdirTemp("", "evenkeel-kafka-*")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(project) }()
		pom := strings.ReplaceAll(kafkaPOM, "KAFKA_VERSION", parts.KafkaVersion)
		if err := os.WriteFile(filepath.Join(project, "pom.xml"), []byte(pom), 0o600); err != nil {
			return err
		}
		return command(project, "mvn", "--quiet", "--batch-mode", "dependency:copy-dependencies",
			"-DincludeScope=runtime", "-DoutputDirectory="+filepath.Join(dir, filepath.Base(parts.KafkaJars)))
	})
}

// installJava tries Debian's runtimes, the newest stable one that is there first.
func installJava() error {
	var errs []error
	for _, name := range []string{"openjdk-21-jre-headless", "openjdk-17-jre-headless", "default-jre-headless"} {
		err := install(name)
		if err == nil && parts.Java() != "" {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// runsHere runs kcat once: of the libraries that every Debian has, one may be missing.
func runsHere(dir string) error {
	library := "LD_LIBRARY_PATH=" + parts.KcatLibraries(dir)
	return command("", "env", library, filepath.Join(dir, parts.KcatProgram), "-V")
}
