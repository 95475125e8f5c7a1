{{/* What every object's name begins with: the release's name and the chart's, which is its alias in another chart. Never a part of
them, so that no two releases share one; `tradewind.check` refuses what no Service can be called. */}}
{{- define "tradewind.fullname" -}}
{{- .Values.fullnameOverride | default (and .Chart.IsRoot (eq .Release.Name .Chart.Name) | ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name)) -}}
{{- end -}}

{{/* Where a program listens on a port, at every address of its pod: (list $ 7100) */}}
{{- define "tradewind.listen" -}}
{{- $address := (index . 0).Values.listenAddress -}}
{{- printf "%s:%v" (contains ":" $address | ternary (printf "[%s]" $address) $address) (index . 1) -}}
{{- end -}}

{{/* The seconds of a duration such as 8h or 1h30m. */}}
{{- define "tradewind.seconds" -}}
{{- $seconds := 0 -}}
{{- range $unit, $length := dict "h" 3600 "m" 60 "s" 1 -}}
{{- $seconds = add $seconds (mul $length (regexFind (printf "[0-9]+%s" $unit) $ | trimSuffix $unit | default "0" | int)) -}}
{{- end -}}
{{- $seconds -}}
{{- end -}}

{{/* The DNS name of the Service `name` of this release: (list $ "catalog-peers") */}}
{{- define "tradewind.host" -}}
{{- $root := index . 0 -}}
{{- printf "%s-%s.%s.svc.%s" (include "tradewind.fullname" $root) (index . 1) $root.Release.Namespace $root.Values.clusterDomain -}}
{{- end -}}

{{/* How many seconds before its end a certificate should be another one: half of what is left when it is renewed. */}}
{{- define "tradewind.certificateAlert" -}}
{{- if eq .Values.tls.mode "certManager" -}}
{{- div (include "tradewind.seconds" .Values.tls.certManager.renewBefore | int) 2 -}}
{{- else -}}
{{- mul 4 3600 -}}
{{- end -}}
{{- end -}}

{{/* The Secret with a workload's certificate: (list $ "catalog") */}}
{{- define "tradewind.tlsSecret" -}}
{{- $root := index . 0 -}}
{{- if eq $root.Values.tls.mode "existingSecret" -}}
{{- $root.Values.tls.existingSecret.pattern | replace "{workload}" (index . 1) -}}
{{- else -}}
{{- printf "%s-%s-tls" (include "tradewind.fullname" $root) (index . 1) -}}
{{- end -}}
{{- end -}}

{{/* The Secret with a service's database URL: (list $ "catalog") */}}
{{- define "tradewind.databaseSecret" -}}
{{- $root := index . 0 -}}
{{- if eq $root.Values.postgres.mode "external" -}}
{{- $root.Values.postgres.external.secretPattern | replace "{service}" (index . 1) -}}
{{- else -}}
{{- printf "%s-%s-database" (include "tradewind.fullname" $root) (index . 1) -}}
{{- end -}}
{{- end -}}

{{/* One of the project's images: (list $ "ordering" override…), later overrides win. */}}
{{- define "tradewind.image" -}}
{{- $root := index . 0 -}}
{{- $image := dict -}}
{{- range slice . 2 -}}
{{- range $key, $value := . -}}
{{- if $value -}}{{- $_ := set $image $key $value -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- $repository := printf "%s%s" $root.Values.image.prefix (index . 1) -}}
{{- if $root.Values.image.registry -}}{{- $repository = printf "%s/%s" $root.Values.image.registry $repository -}}{{- end -}}
{{- $repository = $image.repository | default $repository -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository ($image.tag | default $root.Values.image.tag | default $root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}
