{{/* What selects the pods of a component, and never changes: (list $ "catalog") */}}
{{- define "tradewind.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* The labels of a component's objects: (list $ "catalog") */}}
{{- define "tradewind.labels" -}}
{{- $root := index . 0 -}}
{{ include "tradewind.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: {{ $root.Chart.Name }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The labels of a component's pods. The chart's version is none of them, so that a new one alone restarts nobody: (list $ "catalog") */}}
{{- define "tradewind.podLabels" -}}
{{ include "tradewind.selector" . }}
app.kubernetes.io/part-of: {{ (index . 0).Chart.Name }}
{{- with (index . 0).Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Peer of a NetworkPolicy: the pods of some components of this release: (list $ (list "catalog" "ordering")) */}}
{{- define "tradewind.pods" -}}
{{- $root := index . 0 -}}
podSelector:
  matchLabels:
    app.kubernetes.io/name: {{ $root.Chart.Name }}
    app.kubernetes.io/instance: {{ $root.Release.Name }}
  matchExpressions:
    - {key: app.kubernetes.io/component, operator: In, values: {{ index . 1 | toJson }}}
{{- end -}}

{{/* A port of a Service, which leads to the container's of the same name: (list $ "grpc" 7100) */}}
{{- define "tradewind.port" -}}
{{- $name := index . 1 -}}
{name: {{ $name }}, port: {{ index . 2 }}, targetPort: {{ $name }}{{ with index (index . 0).Values.appProtocols $name }}, appProtocol: {{ . }}{{ end }}}
{{- end -}}

{{/* The annotations of a component's pods, and more of its own: (list $ own…) */}}
{{- define "tradewind.podAnnotations" -}}
{{- $all := deepCopy (index . 0).Values.commonPodAnnotations -}}
{{- range slice . 1 -}}{{- $all = merge (deepCopy .) $all -}}{{- end -}}
{{- with $all }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
