package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// The alerts, and what of promtool's tests of them is asked for here; promtool itself runs them.
type alerts struct {
	Groups []struct {
		Name  string `json:"name"`
		Rules []struct {
			Alert string `json:"alert"`
			Expr  string `json:"expr"`
		} `json:"rules"`
	} `json:"groups"`
}

type alertTests struct {
	Tests []struct {
		InputSeries []struct {
			Series string `json:"series"`
		} `json:"input_series"`
		AlertRuleTest []struct {
			Alertname string `json:"alertname"`
			ExpAlerts []any  `json:"exp_alerts"`
		} `json:"alert_rule_test"`
	} `json:"tests"`
}

func read(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = yaml.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(path, err)
	}
}

// Every alert fires in a test, is silent in one, and is silent in the healthy hour, which has a series of whatever it looks at.
func TestEveryAlertFiresAndIsSilent(t *testing.T) {
	var told alerts
	read(t, "../tradewind/files/alerts.yaml", &told)
	fires, silent, healthy, series := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	files, _ := filepath.Glob("../../tests/alerts/*.yaml")
	for _, file := range files {
		var tests alertTests
		read(t, file, &tests)
		isHealthy := filepath.Base(file) == "healthy.yaml"
		for _, test := range tests.Tests {
			for _, c := range test.AlertRuleTest {
				if isHealthy {
					healthy[c.Alertname] = len(c.ExpAlerts) == 0
				} else if len(c.ExpAlerts) > 0 {
					fires[c.Alertname] = true
				} else {
					silent[c.Alertname] = true
				}
			}
			for _, s := range test.InputSeries {
				if isHealthy {
					series[strings.SplitN(s.Series, "{", 2)[0]] = true
				}
			}
		}
	}
	count := 0
	for _, group := range told.Groups {
		for _, rule := range group.Rules {
			for _, name := range metrics(rule.Expr) {
				if !series[name] {
					t.Errorf("healthy.yaml has no %s, which %s%s looks at", name, group.Name, rule.Alert)
				}
			}
			if rule.Alert == "" {
				continue
			}
			count++
			for what, has := range map[string]map[string]bool{"fires": fires, "is silent": silent, "is silent in the healthy hour": healthy} {
				if !has[rule.Alert] {
					t.Errorf("no test shows that %s %s", rule.Alert, what)
				}
			}
		}
	}
	if count < 40 || len(series) < 40 {
		t.Errorf("%d alerts over %d metrics are too few to believe", count, len(series))
	}
}

var (
	matchers = regexp.MustCompile(`\{[^}]*\}|\b(by|on) \([^)]*\)`)
	metric   = regexp.MustCompile(`\b(tradewind|grpc|http|db)_\w+|\bup\b`)
)

// metrics names what an expression looks at.
func metrics(expr string) []string {
	return metric.FindAllString(matchers.ReplaceAllString(expr, " "), -1)
}

// What the chart makes of alerts and dashboards where it is told where Grafana and traces are.
func TestAlertsAndDashboardsLinkOn(t *testing.T) {
	sets := "monitoring.prometheusRule.enabled=true,monitoring.prometheusRule.grafanaUrl=https://grafana.example/," +
		"monitoring.dashboards.enabled=true,monitoring.dashboards.traces=tempo"
	dashboards := 0
	for _, o := range render(t, combination{sets: []string{sets}}) {
		switch {
		case o.kind() == "PrometheusRule":
			for _, link := range []string{"https://grafana.example/d/tradewind-events", "docs/runbook.md#tradewindstreamparked"} {
				if !strings.Contains(o.text, link) {
					t.Errorf("no alert has %s", link)
				}
			}
		case strings.Contains(o.name(), "-dashboard-"):
			dashboards++
			if !strings.Contains(o.text, "tempo_datasource") || strings.Contains(strings.ToLower(o.text), "jaeger") {
				t.Errorf("%s has no traces in Tempo", o)
			}
			if !strings.Contains(o.text, "grafana_dashboard: \"1\"") {
				t.Errorf("%s is not found by Grafana's sidecar", o)
			}
		}
	}
	if dashboards != 7 {
		t.Errorf("%d dashboards", dashboards)
	}
}

// The group of an alert tells which dashboard shows more.
func TestEveryGroupHasItsDashboard(t *testing.T) {
	var told alerts
	read(t, "../tradewind/files/alerts.yaml", &told)
	for _, group := range told.Groups {
		name, ours := strings.CutPrefix(group.Name, "tradewind.")
		if _, err := os.Stat("../tradewind/files/dashboards/" + name + ".json"); err != nil || !ours {
			t.Errorf("there is no dashboard for %s", group.Name)
		}
	}
}
