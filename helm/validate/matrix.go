package main

import (
	"slices"
	"strings"
)

// combination is a choice of value files and of values laid over them.
type combination struct {
	files []string
	sets  []string
	// Another name for the release, where it matters.
	release string
}

func (c combination) String() string {
	var words []string
	if c.release != "" {
		words = append(words, c.release)
	}
	for _, file := range c.files {
		words = append(words, "--values "+file)
	}
	for _, set := range c.sets {
		words = append(words, "--set "+set)
	}
	if len(words) == 0 {
		return "the default values"
	}
	return strings.Join(words, " ")
}

func (c combination) networkPolicies() bool {
	return !slices.Contains(c.sets, "networkPolicy.enabled=false")
}

var valueFiles = []string{"values-try.yaml", "values-kind.yaml", "values-production.yaml"}

// switches are the choices that are combined, each setting with all others.
var switches = [][]string{
	{"tls.mode=selfSigned", "tls.mode=certManager", "tls.mode=existingSecret"},
	{"nats.mode=internal", "nats.mode=external,nats.external.url=tls://nats.nats:4222"},
	{"postgres.mode=internal", "postgres.mode=external"},
	{
		"monitoring.serviceMonitor.enabled=false",
		"monitoring.serviceMonitor.enabled=true,monitoring.prometheusRule.enabled=true,monitoring.dashboards.enabled=true",
	},
	{"defaults.autoscaling.enabled=false", "defaults.autoscaling.enabled=true"},
	{"defaults.canary.weight=0", "defaults.canary.weight=20"},
	{"networkPolicy.enabled=true", "networkPolicy.enabled=false"},
}

// extras are settings that are tried one at a time.
var extras = []string{
	"outside.enabled=false,services.payment.settings.OUTSIDE_URL=https://c.example.org," +
		"services.shipping.settings.OUTSIDE_URL=https://d.example.org,services.notification.secretSettings.SMTP_URL.secret=mail," +
		"services.notification.secretSettings.SMTP_URL.key=url",
	"services.notification.secretSettings.SMTP_URL=null,services.notification.settings.OUTSIDE_URL=https://e.example.org," +
		"defaults.settings.LOG=null",
	"telemetry.otlpEndpoint=http://collector.observability:4317",
	"webhooks.enabled=true",
	"clickhouse.mode=internal",
	"clickhouse.mode=external,clickhouse.external.secret=sales,clickhouse.external.peers[0].namespaceSelector.matchLabels.team=data",
	"fullnameOverride=t,commonLabels.team=shop,image.pullSecrets[0]=registry,image.registry=registry.example.org",
	"runAs.user=null,runAs.group=null,runAs.fsGroup=null",
	"test.enabled=false",
	"gateway.enabled=false,gateway.ingress.enabled=false",
	"gateway.hosts[0]=shop.example.org,gateway.trustedProxies[0]=10.0.0.0/8,gateway.ingress.enabled=true,gateway.ingress.className=nginx," +
		"gateway.ingress.tlsSecret=web,gateway.ingress.annotations.a=b,gateway.ingress.grpc.enabled=true",
	"gateway.trustedProxies[0]=10.0.0.0/8,gateway.trustedProxies[1]=fd00::/8,gateway.httpRoute.enabled=true," +
		"gateway.httpRoute.parentRefs[0].name=public,gateway.httpRoute.parentRefs[0].namespace=edge,gateway.grpcRoute.enabled=true," +
		"gateway.grpcRoute.parentRefs[0].name=public,gateway.grpcRoute.annotations.a=b",
	"gateway.hosts[0]=shop.example.org,gateway.tls.certManager.enabled=true,gateway.tls.certManager.issuer.name=web," +
		"gateway.service.type=LoadBalancer,gateway.service.port=443,gateway.service.externalTrafficPolicy=Local," +
		"gateway.service.loadBalancerSourceRanges[0]=192.0.2.0/24,gateway.service.annotations.a=b",
	"gateway.tls.secret=web,gateway.corsOrigins[0]=https://www.example.org,networkPolicy.gateway.peers[0].podSelector.matchLabels.app=front",
	"console.enabled=false,console.ingress.enabled=false",
	"console.hosts[0]=staff.example.org,console.trustedProxies[0]=10.0.0.0/8,console.ingress.enabled=true,console.ingress.className=nginx," +
		"console.ingress.tlsSecret=web,console.ingress.annotations.a=b,networkPolicy.console.peers[0].podSelector.matchLabels.app=front",
	"console.hosts[0]=staff.example.org,console.trustedProxies[0]=10.0.0.0/8,console.httpRoute.enabled=true," +
		"console.httpRoute.parentRefs[0].name=own,console.httpRoute.annotations.a=b," +
		"networkPolicy.console.peers[0].podSelector.matchLabels.app=front",
	"console.hosts[0]=staff.example.org,console.tls.certManager.enabled=true,console.tls.certManager.issuer.name=web," +
		"console.service.type=LoadBalancer,console.service.port=443,console.service.externalTrafficPolicy=Local,console.service.annotations.a=b," +
		"networkPolicy.console.peers[0].ipBlock.cidr=192.0.2.0/24",
	"console.tls.secret=web,networkPolicy.console.peers[0].podSelector.matchLabels.app=front",
	"services.gateway.settings.TRUSTED_ISSUERS=corp https://login.example https://login.example/keys tradewind",
	"tls.mode=certManager,tls.certManager.issuer.create=false,tls.certManager.issuer.name=corp," +
		"tls.certManager.issuer.kind=ClusterIssuer",
	"defaults.podDisruptionBudget.enabled=false,defaults.whenUnsatisfiable=DoNotSchedule,defaults.priorityClassName=high",
	"listenAddress=0.0.0.0,appProtocols.grpc=,serviceAnnotations.a=b,commonPodAnnotations.c=d",
	"networkPolicy.dns.ports[0]=5353,networkPolicy.extraEgress[0].ports[0].port=15012,networkPolicy.extraIngress[0].ports[0].port=15020",
	"readers.reporting[0]=payment,readers.reporting[1]=ordering,networkPolicy.readers.peers[0].namespaceSelector.matchLabels.team=reports",
	"readers.reporting[0]=ordering,tls.mode=certManager",
	"enabled=true,global.region=north",
	"services.catalog.image.digest=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	"services.ordering.canary.weight=10,services.ordering.canary.image.tag=next,services.ordering.canary.settings.LOG=debug",
	"services.ordering.tolerations[0].key=dedicated,services.ordering.tolerations[0].operator=Exists," +
		"services.ordering.nodeSelector.pool=shop,services.ordering.podAnnotations.a=b,services.ordering.podLabels.c=d",
}

// matrix is each setting alone over the default values and over each value file, then every combination of the switches.
func matrix() []combination {
	var all []combination
	singles := slices.Concat(append(slices.Clone(switches), extras)...)
	for _, file := range append([]string{""}, valueFiles...) {
		var files []string
		if file != "" {
			files = []string{file}
		}
		all = append(all, combination{files: files})
		for _, single := range singles {
			all = append(all, combination{files: files, sets: []string{single}})
		}
	}
	products := [][]string{{}}
	for _, options := range switches {
		var longer [][]string
		for _, product := range products {
			for _, option := range options {
				longer = append(longer, append(slices.Clone(product), option))
			}
		}
		products = longer
	}
	for _, product := range products {
		all = append(all, combination{sets: product})
	}
	return all
}

// refusal is a combination that must not be taken, and a part of what is said of it.
type refusal struct {
	combination
	because string
}

func refused(set, because string) refusal {
	return refusal{combination{sets: []string{set}}, because}
}

func nobodys(release, because string) refusal {
	return refusal{combination{release: release}, because}
}

var refusals = []refusal{
	refused("servics.catalog.replicas=3", "additional properties 'servics' not allowed"),
	refused("services.catalog.replica=3", "additional properties 'replica' not allowed"),
	refused("defaults.resources.limit.memory=1Gi", "additional properties 'limit' not allowed"),
	refused("services.warehouse.replicas=1", "services.warehouse: the contracts have no such service"),
	refused("services.catalog.replicas=0", "minimum: got 0, want 1"),
	refused("services.catalog.replicas=three", "got string, want integer"),
	refused("services.catalog.canary.weight=90", "maximum: got 90, want 50"),
	refused("services.catalog.settings.DATABASE_URL=postgres://a:b@c/d", "'not' failed"),
	refused("services.catalog.settings.log=debug", "does not match pattern"),
	refused("tls.mode=none", "value must be one of"),
	refused("trustDomain=Shop", "does not match pattern"),
	refused("nats.replicas=2", "value must be one of"),
	refused("nats.replicas=3,nats.internal.servers=1", "nats.replicas: 3 copies need as many servers"),
	refused("nats.internal.storage.size=1.5Ti", "does not match pattern"),
	refused("nats.mode=external", "nats.external.url: is needed"),
	refused("nats.mode=external,nats.external.url=nats://n:4222", "does not match pattern"),
	refused("tls.mode=certManager,tls.certManager.issuer.create=false", "tls.certManager.issuer.name: is needed"),
	refused("outside.enabled=false", "calls parties outside the shop"),
	refused("gateway.enable=true", "additional properties 'enable' not allowed"),
	refused("gateway.hosts[0]=shop.example.org,gateway.ingress.enabled=true", "gateway.trustedProxies: name the addresses"),
	refused("gateway.trustedProxies[0]=10.0.0.0/8,gateway.ingress.enabled=true", "gateway.hosts: is needed for an Ingress"),
	refused("gateway.trustedProxies[0]=10.0.0.0/8,gateway.httpRoute.enabled=true", "gateway.httpRoute.parentRefs: name the Gateway"),
	refused("gateway.enabled=false,gateway.grpcRoute.enabled=true", "gateway.enabled: is needed"),
	refused("gateway.tls.certManager.enabled=true", "gateway.tls.certManager.issuer.name: is needed"),
	refused("gateway.trustedProxies[0]=proxies", "does not match pattern"),
	refused("gateway.hosts[0]=https://shop.example.org", "does not match pattern"),
	refused("console.ingress.enabled=true", "console.ingress.tlsSecret: name the Secret"),
	refused("console.ingress.enabled=true,console.ingress.tlsSecret=web", "networkPolicy.console.peers: name who connects"),
	refused("console.httpRoute.enabled=true", "networkPolicy.console.peers: name who connects"),
	refused("console.service.type=LoadBalancer", "console.tls: name the certificate"),
	refused("console.service.type=NodePort,console.tls.secret=web", "networkPolicy.console.peers: name who connects"),
	refused("console.ingress.enabled=true,console.ingress.tlsSecret=web,networkPolicy.enabled=false", "console.trustedProxies: name the addresses"),
	refused("console.httpRoute.enabled=true,console.trustedProxies[0]=10.0.0.0/8,networkPolicy.enabled=false", "console.httpRoute.parentRefs: name the Gateway"),
	refused("console.enabled=false,console.httpRoute.enabled=true", "console.enabled: is needed"),
	refused("services.console.replicas=2", "there is one pod of it"),
	refused("services.console.autoscaling.enabled=true", "there is one pod of it"),
	refused("clickhouse.mode=external", "clickhouse.external.secret: is needed"),
	refused("postgres.external.secretPattern=db", "does not match pattern"),
	refused("shutdown.graceSeconds=0", "minimum: got 0, want 1"),
	refused("tls.mode=certManager,tls.certManager.renewBefore=24h", "tls.certManager.renewBefore: 24h is not before the end"),
	refused("tls.mode=certManager,tls.certManager.renewBefore=1500m", "renewBefore: 1500m is not before the end"),
	refused("tls.mode=certManager,tls.certManager.serverDuration=1h", "serverRenewBefore: 2160h is not before the end"),
	refused("tls.certManager.duration=1d", "does not match pattern"),
	refused("listenAddress=10.0.0.1", "value must be one of"),
	refused("appProtocols.grcp=tls", "value must be one of"),
	refused("networkPolicy.dns.ports[0]=0", "minimum: got 0, want 1"),
	nobodys("shop.v2", "shop.v2-tradewind: no Service can be called so"),
	nobodys("1shop", "1shop-tradewind: no Service can be called so"),
	nobodys("a-release-with-a-name-of-many-words", "is longer than the 35 characters"),
}
