{{/* What every object's name begins with. */}}
{{- define "tradewind.fullname" -}}
{{- $name := .Values.fullnameOverride | default (contains .Chart.Name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name)) -}}
{{- $name | trunc 35 | trimSuffix "-" -}}
{{- end -}}

{{/* The DNS name of the Service `name` of this release: (list $ "catalog-peers") */}}
{{- define "tradewind.host" -}}
{{- $root := index . 0 -}}
{{- printf "%s-%s.%s.svc.%s" (include "tradewind.fullname" $root) (index . 1) $root.Release.Namespace $root.Values.clusterDomain -}}
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
