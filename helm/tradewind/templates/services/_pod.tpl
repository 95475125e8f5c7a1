{{/* The settings of a service that are no secrets: (dict "root" $ "name" "catalog" "service" … "track" "stable") */}}
{{- define "tradewind.settings" -}}
{{- $root := .root -}}
{{- $peers := list -}}
{{- range include "tradewind.peers" (list (include "tradewind.contracts" $root | fromJson) .name) | fromJsonArray -}}
{{- $peers = append $peers (printf "%s=%s:7100" . (include "tradewind.host" (list $root (printf "%s-peers" .)))) -}}
{{- end -}}
{{- $settings := dict
  "ADMIN_ADDR" (include "tradewind.listen" (list $root 7200))
  "CA" "/etc/tradewind/tls/ca.crt"
  "CERT" "/etc/tradewind/tls/tls.crt"
  "KEY" "/etc/tradewind/tls/tls.key"
  "TRUST_DOMAIN" $root.Values.trustDomain
  "PEERS" ($peers | join ",")
  "LOG_FORMAT" "json"
  "LOG" $root.Values.telemetry.log
  "GRACE" (printf "%ss" (include "tradewind.text" $root.Values.shutdown.graceSeconds))
  "OTLP_SIGNALS" (join "," $root.Values.telemetry.otlpSignals)
  "TRACE_RATIO" (include "tradewind.text" $root.Values.telemetry.traceRatio)
-}}
{{- if has .name (include "tradewind.edges" $root | fromJsonArray) -}}
{{- range $key, $value := include "tradewind.edgeSettings" (list $root .name) | fromJson }}{{- $_ := set $settings $key $value -}}{{- end -}}
{{- else -}}
{{- $_ := set $settings "GRPC_ADDR" (include "tradewind.listen" (list $root 7100)) -}}
{{- $_ := set $settings "DATABASE_URL_FILE" "/etc/tradewind/database/url" -}}
{{- end -}}
{{- if has .name (include "tradewind.natsClients" $root | fromJsonArray) -}}
{{- $_ := set $settings "NATS_URL" (include "tradewind.natsUrl" $root) -}}
{{- end -}}
{{- if and .service.callsOutside $root.Values.outside.enabled -}}
{{- $_ := set $settings "OUTSIDE_URL" (printf "http://%s:7300" (include "tradewind.host" (list $root "outside"))) -}}
{{- end -}}
{{- if and (eq .name "analytics") (eq $root.Values.clickhouse.mode "internal") -}}
{{- $_ := set $settings "CLICKHOUSE" (printf "http://%s:8123/default" (include "tradewind.host" (list $root "clickhouse"))) -}}
{{- end -}}
{{- if eq .name "notification" -}}
{{- $_ := set $settings "WEBHOOKS" (include "tradewind.text" $root.Values.webhooks.enabled) -}}
{{- end -}}
{{- range $key, $_ := .service.secretSettings -}}
{{- $_ := unset $settings $key -}}
{{- $_ := set $settings (printf "%s_FILE" $key) (printf "/etc/tradewind/secrets/%s" $key) -}}
{{- end -}}
{{- range $key, $value := .service.settings -}}
{{- $_ := set $settings $key (include "tradewind.text" $value) -}}
{{- end -}}
{{- if eq .track "canary" -}}
{{- range $key, $value := .service.canary.settings -}}
{{- $_ := set $settings $key (include "tradewind.text" $value) -}}
{{- end -}}
{{- end -}}
{{- range $key, $value := $settings }}
TRADEWIND_{{ $key }}: {{ $value | quote }}
{{- end }}
{{- with $root.Values.telemetry.otlpEndpoint }}
OTEL_EXPORTER_OTLP_ENDPOINT: {{ . | quote }}
{{- end }}
{{- end -}}

{{/* A service's objects are named after it, those of its canary after both. */}}
{{- define "tradewind.trackName" -}}
{{- printf "%s-%s%s" (include "tradewind.fullname" .root) .name (eq .track "canary" | ternary "-canary" "") -}}
{{- end -}}

{{- define "tradewind.servicePod" -}}
{{- $root := .root -}}
{{- $service := .service -}}
{{- $isEdge := has .name (include "tradewind.edges" $root | fromJsonArray) -}}
{{- $certificate := "" -}}
{{- if $isEdge -}}{{- $certificate = include "tradewind.edgeCertificate" (list $root .name) -}}{{- end -}}
{{- $selector := printf "%s\ntrack: %s" (include "tradewind.selector" (list $root .name)) .track -}}
metadata:
  labels:
    {{- include "tradewind.podLabels" (list $root .name) | nindent 4 }}
    track: {{ .track }}
    {{- with $service.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- include "tradewind.podAnnotations" (list $root $service.podAnnotations (dict "checksum/settings" (include "tradewind.settings" . | sha256sum))) | nindent 2 }}
spec:
  serviceAccountName: {{ include "tradewind.fullname" $root }}-{{ .name }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- include "tradewind.pullSecrets" $root | nindent 2 }}
  securityContext:
    {{- include "tradewind.podSecurity" (list $root.Values.runAs) | nindent 4 }}
  terminationGracePeriodSeconds: {{ add $root.Values.shutdown.endpointsSeconds $root.Values.shutdown.graceSeconds 5 }}
  topologySpreadConstraints:
    {{- include "tradewind.spread" (list $selector $service.whenUnsatisfiable) | nindent 4 }}
  {{- with $service.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $service.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $service.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $service.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ .name }}
      image: {{ include "tradewind.image" (list $root .name $service.image (eq .track "canary" | ternary $service.canary.image dict)) }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      envFrom:
        - configMapRef:
            name: {{ include "tradewind.trackName" . }}
      env:
        - name: TRADEWIND_INSTANCE
          valueFrom:
            fieldRef: {fieldPath: metadata.name}
        {{- if and (not $isEdge) (eq $root.Values.postgres.mode "external") }}
        - {name: PGSSLMODE, value: {{ $root.Values.postgres.external.sslmode }}}
        {{- if $root.Values.postgres.external.caSecretPattern }}
        - {name: PGSSLROOTCERT, value: /etc/tradewind/database/ca.crt}
        {{- end }}
        {{- end }}
      ports:
        {{- if $isEdge }}
        - {name: web, containerPort: 8080}
        {{- else }}
        - {name: grpc, containerPort: 7100}
        {{- end }}
        - {name: admin, containerPort: 7200}
      {{- /* The kubelet has no certificate, and a database or broker that is away is no reason to restart. */}}
      startupProbe:
        httpGet: {path: /health/live, port: admin}
        periodSeconds: 1
        failureThreshold: 60
      livenessProbe:
        httpGet: {path: /health/live, port: admin}
        periodSeconds: 10
        failureThreshold: 3
      readinessProbe:
        httpGet: {path: /health/ready, port: admin}
        periodSeconds: 2
        failureThreshold: 2
      lifecycle:
        preStop:
          sleep: {seconds: {{ $root.Values.shutdown.endpointsSeconds }}}
      securityContext:
        {{- include "tradewind.containerSecurity" $root | nindent 8 }}
      resources:
        {{- toYaml $service.resources | nindent 8 }}
      volumeMounts:
        - {name: tls, mountPath: /etc/tradewind/tls, readOnly: true}
        {{- if not $isEdge }}
        - {name: database, mountPath: /etc/tradewind/database, readOnly: true}
        {{- end }}
        {{- if $certificate }}
        - {name: web, mountPath: /etc/tradewind/web, readOnly: true}
        {{- end }}
        {{- if $service.secretSettings }}
        - {name: secrets, mountPath: /etc/tradewind/secrets, readOnly: true}
        {{- end }}
  volumes:
    - {{ include "tradewind.tlsVolume" (list $root .name) | indent 6 | trim }}
    {{- if $certificate }}
    - name: web
      secret:
        secretName: {{ $certificate }}
        defaultMode: 0440
    {{- end }}
    {{- if not $isEdge }}
    - name: database
      projected:
        defaultMode: 0440
        sources:
          - secret:
              name: {{ include "tradewind.databaseSecret" (list $root .name) }}
              items:
                - {key: {{ eq $root.Values.postgres.mode "external" | ternary $root.Values.postgres.external.key "url" }}, path: url}
          {{- if and (eq $root.Values.postgres.mode "external") $root.Values.postgres.external.caSecretPattern }}
          - secret:
              name: {{ $root.Values.postgres.external.caSecretPattern | replace "{service}" .name }}
              items:
                - {key: {{ $root.Values.postgres.external.caKey }}, path: ca.crt}
          {{- end }}
    {{- end }}
    {{- if $service.secretSettings }}
    - name: secrets
      projected:
        defaultMode: 0440
        sources:
          {{- range $key, $from := $service.secretSettings }}
          - secret:
              name: {{ $from.secret }}
              items:
                - {key: {{ $from.key }}, path: {{ $key }}}
          {{- end }}
    {{- end }}
{{- end -}}
