{{/* What the contracts say: the services, and who may connect to each because it calls it or reads its events. */}}
{{- define "tradewind.contracts" -}}
{{- .Files.Get "files/contracts.json" -}}
{{- end -}}

{{/* A service's values: what it says itself laid over `defaults`: (list $ "catalog") */}}
{{- define "tradewind.service" -}}
{{- $root := index . 0 -}}
{{- include "tradewind.merge" (list $root.Values.defaults (index $root.Values.services (index . 1) | default dict)) -}}
{{- end -}}

{{/* One map laid over another, as JSON. Sprig's own merge lets no `false` and no 0 win: (list below above) */}}
{{- define "tradewind.merge" -}}
{{- $merged := deepCopy (index . 0) -}}
{{- range $key, $value := index . 1 -}}
{{- $below := index $merged $key -}}
{{- if and (kindIs "map" $value) (kindIs "map" $below) -}}
{{- $value = include "tradewind.merge" (list $below $value) | fromJson -}}
{{- end -}}
{{- $_ := set $merged $key $value -}}
{{- end -}}
{{- toJson $merged -}}
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
{{- $names := concat (keys (include "tradewind.contracts" . | fromJson).services | sortAlpha) (list "broker-init" "operator") -}}
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
{{- if not (hasKey $contracts.services $name) -}}
{{- fail (printf "services.%s: the contracts have no such service; there are %s" $name (keys $contracts.services | sortAlpha | join ", ")) -}}
{{- end -}}
{{- end -}}
{{- range $name, $_ := $contracts.services -}}
{{- $service := include "tradewind.service" (list $root $name) | fromJson -}}
{{- $told := or $service.settings.OUTSIDE_URL $service.secretSettings.OUTSIDE_URL $service.settings.SMTP_URL $service.secretSettings.SMTP_URL -}}
{{- if and $service.callsOutside (not $root.Values.outside.enabled) (not $told) -}}
{{- fail (printf "services.%s.settings.OUTSIDE_URL: %s calls parties outside the shop; name them, or set outside.enabled" $name $name) -}}
{{- end -}}
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
