package simulate

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
)

// ShopZone is where the shop's people live: its days and promises are cut there.
const ShopZone = "Europe/Berlin"

// shop is a small company that sells things on the web: nineteen services, six teams.
func shop(seed uint64) *estate {
	e := &estate{cluster: "shop-prod", namespace: "shop", services: []*service{
		{name: "storefront", display: "Shop on the web", about: "Renders every page that a customer sees.", owner: "web", tier: 1, replicas: 6,
			calls: []string{"basket", "checkout", "identity", "product-pages", "product-search"}},
		{name: "app-backend", display: "Shop in the app", about: "Serves the mobile apps.", owner: "web", tier: 1, replicas: 5,
			calls: []string{"basket", "checkout", "identity", "product-pages"}},
		{name: "product-pages", display: "Product pages", about: "Puts articles, prices and pictures together.", owner: "discovery", tier: 2, replicas: 4,
			calls: []string{"articles-db", "prices", "recommendations"}},
		{name: "product-search", display: "Search", about: "Finds articles by words and filters.", owner: "discovery", tier: 2, replicas: 4,
			calls: []string{"articles-db"}},
		{name: "recommendations", display: "Recommendations", about: "Suggests what goes with what.", owner: "discovery", tier: 3, replicas: 3,
			calls: []string{"articles-db"}},
		{name: "prices", display: "Prices", about: "Knows today's price of every article.", owner: "discovery", tier: 2, replicas: 3,
			calls: []string{"articles-db"}},
		{name: "basket", display: "Basket", about: "Keeps what a customer is about to buy.", owner: "purchase", tier: 1, replicas: 4,
			calls: []string{"basket-cache", "prices"}},
		{name: "checkout", display: "Checkout", about: "Turns a basket into an order.", owner: "purchase", tier: 1, replicas: 6,
			calls: []string{"basket", "identity", "orders", "payments", "stock"}},
		{name: "payments", display: "Payments", about: "Talks to the payment providers.", owner: "purchase", tier: 1, replicas: 4,
			calls: []string{"orders-db"}},
		{name: "orders", display: "Orders", about: "Keeps every order and its state.", owner: "fulfilment", tier: 1, replicas: 5,
			calls: []string{"events", "orders-db"}},
		{name: "stock", display: "Stock", about: "Knows how many of everything are left.", owner: "fulfilment", tier: 2, replicas: 5,
			calls: []string{"orders-db"}},
		{name: "shipping-labels", display: "Shipping labels", about: "Prints labels for parcels.", owner: "fulfilment", tier: 2, replicas: 4,
			calls: []string{"events", "stock"}},
		{name: "returns-desk", display: "Returns", about: "Takes things back.", owner: "fulfilment", tier: 3, replicas: 3,
			calls: []string{"orders"}},
		{name: "mailer", display: "Mail", about: "Sends confirmations and newsletters.", owner: "engagement", tier: 3, replicas: 2,
			calls: []string{"events"}},
		{name: "identity", display: "Customer login", about: "Knows who a customer is.", owner: "platform", tier: 1, replicas: 4,
			calls: []string{"basket-cache"}},
		{name: "reports", display: "Figures", about: "Counts yesterday's sales.", owner: "engagement", tier: 3, replicas: 1,
			calls: []string{"orders-db"}},
		{name: "orders-db", display: "Database of orders", about: "PostgreSQL of orders, payments and stock.", owner: "platform", tier: 1, replicas: 3, store: true},
		{name: "articles-db", display: "Database of articles", about: "PostgreSQL of articles and prices.", owner: "platform", tier: 2, replicas: 3, store: true},
		{name: "basket-cache", display: "Cache of baskets", about: "Valkey for baskets and sessions.", owner: "platform", tier: 2, replicas: 3, store: true},
		{name: "events", display: "Events", about: "Broker between orders and all who follow them.", owner: "platform", tier: 1, replicas: 3, store: true},
	}}
	for _, s := range e.services {
		s.named, s.placed = "service", true
		if s.owner == "fulfilment" {
			s.named = "app" // another team, another habit
		}
	}
	e.build(roll(seed, "shop"), 8, "eu-central-1")
	return e
}

// promise is an agreement of the shop.
type promise struct {
	service, name, objective, calendar string
}

func promises() []promise {
	return []promise{
		{"storefront", "customers", "99.9%", ""},
		{"app-backend", "customers", "99.9%", ""},
		{"checkout", "customers", "99.9%", ""},
		{"payments", "customers", "99.95%", ""},
		{"basket", "customers", "99.9%", ""},
		{"identity", "customers", "99.9%", ""},
		{"product-search", "customers", "99.5%", ""},
		{"product-pages", "customers", "99.5%", ""},
		{"orders", "warehouse", "99.5%", ""},
		{"stock", "warehouse", "99.5%", ""},
		{"shipping-labels", "warehouse", "99%", "warehouse"},
		{"orders-db", "platform", "99.9%", ""},
		{"events", "platform", "99.9%", ""},
	}
}

// work is one planned maintenance window of one service.
type work struct {
	service  string
	from, to ingest.Millis
	reason   string
}

// shopCatalogue writes the catalogue of the shop as its people keep it.
func shopCatalogue(e *estate, works []work) []byte {
	var b bytes.Buffer
	b.WriteString("calendars:\n  - name: warehouse\n    zone: " + ShopZone + "\n    hours:\n" +
		"      - {weekdays: [monday:friday], from: \"06:00\", to: \"22:00\"}\n" +
		"      - {weekdays: [saturday], from: \"08:00\", to: \"18:00\"}\nservices:\n")
	for _, s := range e.services {
		fmt.Fprintf(&b, "  - name: %s\n    display_name: %s\n    description: %s\n    owner: %s\n    tier: %d\n", s.name, s.display, s.about, s.owner, s.tier)
		fmt.Fprintf(&b, "    depends_on: [%s]\n", strings.Join(s.calls, ", "))
		if s.tier < 3 {
			fmt.Fprintf(&b, "    runbook: https://runbooks.example/%s\n", s.name)
		}
		writePromises(&b, s.name)
		writeWorks(&b, s.name, works)
	}
	return b.Bytes()
}

func writePromises(b *bytes.Buffer, service string) {
	first := true
	for _, p := range promises() {
		if p.service != service {
			continue
		}
		if first {
			b.WriteString("    agreements:\n")
			first = false
		}
		fmt.Fprintf(b, "      - name: %s\n        objective: %s\n        zone: %s\n", p.name, p.objective, ShopZone)
		if p.calendar != "" {
			fmt.Fprintf(b, "        calendar: %s\n", p.calendar)
		}
	}
}

func writeWorks(b *bytes.Buffer, service string, works []work) {
	own := slices.DeleteFunc(slices.Clone(works), func(w work) bool { return w.service != service })
	slices.SortFunc(own, func(a, b work) int { return cmp.Compare(a.from, b.from) })
	for i, w := range own {
		if i == 0 {
			b.WriteString("    maintenance:\n")
		}
		fmt.Fprintf(b, "      - from: %s\n        to: %s\n        reason: %s\n",
			w.from.Time().Format(time.RFC3339), w.to.Time().Format(time.RFC3339), w.reason)
	}
}
