{{/* What the contracts say: the services, and who may connect to each because it calls it or reads its events. */}}
{{- define "tradewind.contracts" -}}
{{- .Files.Get "files/contracts.json" -}}
{{- end -}}

{{/* What runs of the shop: the services of the contracts, and before them those at the edge that are enabled, as a list. */}}
{{- define "tradewind.programs" -}}
{{- $names := keys (include "tradewind.contracts" . | fromJson).services -}}
{{- range include "tradewind.edges" . | fromJsonArray -}}
{{- if (index $.Values .).enabled -}}{{- $names = append $names . -}}{{- end -}}
{{- end -}}
{{- toJson ($names | sortAlpha) -}}
{{- end -}}

{{/* Lays a service's values, what it says itself over `defaults`, into an empty map: (list $ "catalog" $service). Not by way of JSON,
out of which a number comes as a float, and a million as 1e+06. */}}
{{- define "tradewind.service" -}}
{{- $root := index . 0 -}}
{{- include "tradewind.lay" (list (index . 2) $root.Values.defaults) -}}
{{- include "tradewind.lay" (list (index . 2) (index $root.Values.services (index . 1) | default dict)) -}}
{{- $clickhouse := $root.Values.clickhouse -}}
{{- if and (eq (index . 1) "analytics") (eq $clickhouse.mode "external") -}}
{{- $url := dict "secret" $clickhouse.external.secret "key" $clickhouse.external.key -}}
{{- include "tradewind.lay" (list (index . 2) (dict "secretSettings" (dict "CLICKHOUSE" $url))) -}}
{{- end -}}
{{- end -}}

{{/* Lays one map over another; null takes a key away. Sprig's own merge lets no `false` and no 0 win: (list into from) */}}
{{- define "tradewind.lay" -}}
{{- $into := index . 0 -}}
{{- range $key, $value := index . 1 -}}
{{- if kindIs "map" $value -}}
{{- if not (kindIs "map" (index $into $key)) -}}{{- $_ := set $into $key dict -}}{{- end -}}
{{- include "tradewind.lay" (list (index $into $key) $value) -}}
{{- else if kindIs "invalid" $value -}}
{{- $_ := unset $into $key -}}
{{- else -}}
{{- $_ := set $into $key $value -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A value as text: a number that came as a float without an exponent. */}}
{{- define "tradewind.text" -}}
{{- if kindIs "float64" . -}}{{- toJson . -}}{{- else -}}{{- toString . -}}{{- end -}}
{{- end -}}

{{/* The services that one calls, as a list: (list $contracts "ordering") */}}
{{- define "tradewind.peers" -}}
{{- $caller := index . 1 -}}
{{- $peers := list -}}
{{- range $name, $contract := (index . 0).services -}}
{{- if has $caller $contract.callers -}}{{- $peers = append $peers $name -}}{{- end -}}
{{- end -}}
{{- toJson $peers -}}
{{- end -}}

{{/* Every workload that has a certificate, as a list. */}}
{{- define "tradewind.workloads" -}}
{{- $names := concat (include "tradewind.programs" . | fromJsonArray) (list "broker-init" "operator") -}}
{{- if eq .Values.nats.mode "internal" -}}{{- $names = append $names "nats" -}}{{- end -}}
{{- if eq .Values.postgres.mode "internal" -}}{{- $names = append $names "postgres" -}}{{- end -}}
{{- toJson $names -}}
{{- end -}}

{{/* The names under which a workload's server is reached by those who check host names, as a list: (list $ "nats") */}}
{{- define "tradewind.dnsNames" -}}
{{- $root := index . 0 -}}
{{- $host := include "tradewind.host" . -}}
{{- if eq (index . 1) "nats" -}}
{{- toJson (list $host (printf "*.%s" $host)) -}}
{{- else if eq (index . 1) "postgres" -}}
{{- toJson (list $host) -}}
{{- else -}}
[]
{{- end -}}
{{- end -}}

{{/* Values that contradict each other or the contracts. */}}
{{- define "tradewind.check" -}}
{{- $root := . -}}
{{- $contracts := include "tradewind.contracts" . | fromJson -}}
{{- range $name, $_ := .Values.services -}}
{{- $edges := include "tradewind.edges" $root | fromJsonArray -}}
{{- if not (or (hasKey $contracts.services $name) (has $name $edges)) -}}
{{- fail (printf "services.%s: the contracts have no such service; there are %s, and %s" $name (keys $contracts.services | sortAlpha | join ", ") ($edges | join ", ")) -}}
{{- end -}}
{{- end -}}
{{- range $name, $granted := .Values.readers -}}
{{- if or (has $name (include "tradewind.workloads" $root | fromJsonArray)) (has $name (list "nats" "postgres" "ca")) -}}
{{- fail (printf "readers.%s: a workload is called so; take another name" $name) -}}
{{- end -}}
{{- range $granted -}}
{{- if not (hasKey $contracts.services .) -}}
{{- fail (printf "readers.%s: there is no context %s; there are %s" $name . (keys $contracts.services | sortAlpha | join ", ")) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $name, $_ := $contracts.services -}}
{{- $service := dict -}}
{{- include "tradewind.service" (list $root $name $service) -}}
{{- $told := or $service.settings.OUTSIDE_URL $service.secretSettings.OUTSIDE_URL $service.settings.SMTP_URL $service.secretSettings.SMTP_URL -}}
{{- if and $service.callsOutside (not $root.Values.outside.enabled) (not $told) -}}
{{- fail (printf "services.%s.settings.OUTSIDE_URL: %s calls parties outside the shop; name them, or set outside.enabled" $name $name) -}}
{{- end -}}
{{- end -}}
{{- $fullname := include "tradewind.fullname" . -}}
{{- /* Names once were the release's alone where that held the chart's, and cut. Before what is said of new names, for the old ones have to stay. */ -}}
{{- $before := .Values.fullnameOverride | default (contains .Chart.Name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name)) | trunc 35 | trimSuffix "-" -}}
{{- if and .Release.IsUpgrade (ne $before $fullname) -}}
{{- range $name, $_ := $contracts.services -}}
{{- $there := lookup "apps/v1" "Deployment" $root.Release.Namespace (printf "%s-%s" $before $name) -}}
{{- if eq $root.Release.Name (dig "metadata" "annotations" "meta.helm.sh/release-name" "" $there) -}}
{{- fail (printf "fullnameOverride: the objects of this release are called %s-…; set it to %s to keep them" $before $before) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $fullname) -}}
{{- fail (printf "%s: no Service can be called so, only letters, digits and '-' after a letter; take another name for the release, or set fullnameOverride" $fullname) -}}
{{- end -}}
{{- if gt (len $fullname) 35 -}}
{{- fail (printf "%s: is longer than the 35 characters that names of objects can begin with; take a shorter name for the release, or set fullnameOverride" $fullname) -}}
{{- end -}}
{{- if eq .Values.tls.mode "certManager" -}}
{{- $tls := .Values.tls.certManager -}}
{{- range $duration, $renewal := dict "duration" "renewBefore" "serverDuration" "serverRenewBefore" -}}
{{- if ge (include "tradewind.seconds" (index $tls $renewal) | int) (include "tradewind.seconds" (index $tls $duration) | int) -}}
{{- fail (printf "tls.certManager.%s: %s is not before the end of a certificate that lasts %s (%s)" $renewal (index $tls $renewal) (index $tls $duration) $duration) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- include "tradewind.checkEdge" . -}}
{{- if and (eq .Values.clickhouse.mode "external") (not .Values.clickhouse.external.secret) -}}
{{- fail "clickhouse.external.secret: is needed when clickhouse.mode is external" -}}
{{- end -}}
{{- if and (eq .Values.nats.mode "external") (not .Values.nats.external.url) -}}
{{- fail "nats.external.url: is needed when nats.mode is external" -}}
{{- end -}}
{{- if and (eq .Values.nats.mode "internal") (gt (int .Values.nats.replicas) (int .Values.nats.internal.servers)) -}}
{{- fail (printf "nats.replicas: %v copies need as many servers, nats.internal.servers is %v" .Values.nats.replicas .Values.nats.internal.servers) -}}
{{- end -}}
{{- if and (eq .Values.tls.mode "certManager") (not .Values.tls.certManager.issuer.create) (not .Values.tls.certManager.issuer.name) -}}
{{- fail "tls.certManager.issuer.name: is needed unless issuer.create is set" -}}
{{- end -}}
{{- end -}}
