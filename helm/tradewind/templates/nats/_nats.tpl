{{/* Where the broker is: every server, so that none has to be there for the others to be found. */}}
{{- define "tradewind.natsUrl" -}}
{{- if eq .Values.nats.mode "external" -}}
{{- .Values.nats.external.url -}}
{{- else -}}
{{- $urls := list -}}
{{- range $i := until (int .Values.nats.internal.servers) -}}
{{- $urls = append $urls (printf "tls://%s-nats-%d.%s:4222" (include "tradewind.fullname" $) $i (include "tradewind.host" (list $ "nats"))) -}}
{{- end -}}
{{- $urls | join "," -}}
{{- end -}}
{{- end -}}

{{/* The broker's configuration: whoever connects proves who it is, and may use the subjects that the contracts give it. */}}
{{- define "tradewind.natsConfig" -}}
{{- $host := include "tradewind.host" (list . "nats") -}}
{{- $fullname := include "tradewind.fullname" . -}}
server_name: $POD_NAME
listen: {{ include "tradewind.listen" (list . 4222) | quote }}
http: {{ include "tradewind.listen" (list . 8222) | quote }}
pid_file: "/run/nats/nats.pid"
jetstream { store_dir: "/data", max_file_store: {{ .Values.nats.internal.storage.size }}, max_memory_store: 16MB }
tls {
  cert_file: "/etc/tradewind/tls/tls.crt"
  key_file: "/etc/tradewind/tls/tls.key"
  ca_file: "/etc/tradewind/tls/ca.crt"
  verify_and_map: true
  timeout: 5
}
{{- if gt (int .Values.nats.internal.servers) 1 }}
cluster {
  name: {{ $fullname | quote }}
  listen: {{ include "tradewind.listen" (list . 6222) | quote }}
  no_advertise: true
  routes: [
    {{- range $i := until (int .Values.nats.internal.servers) }}
    "tls://{{ $fullname }}-nats-{{ $i }}.{{ $host }}:6222"
    {{- end }}
  ]
  {{- /* A node is whoever has the broker's own certificate; every other one of the authority is a client's. */}}
  authorization { user: "spiffe://{{ .Values.trustDomain }}/svc/nats", timeout: 5 }
  tls {
    cert_file: "/etc/tradewind/tls/tls.crt"
    key_file: "/etc/tradewind/tls/tls.key"
    ca_file: "/etc/tradewind/tls/ca.crt"
    verify_and_map: true
    timeout: 5
  }
}
{{- end }}
include "users.json"
{{- end -}}

{{/* The broker's users, as `tradewind broker config` prints them, in this release's trust domain, readers among them. */}}
{{- define "tradewind.natsUsers" -}}
{{- if not .Values.readers -}}
{{- include "tradewind.natsWorkloads" . -}}
{{- else -}}
{{- $users := (include "tradewind.natsWorkloads" . | fromJson).authorization.users -}}
{{- $grants := .Files.Get "files/broker-readers.json" | fromJson -}}
{{- range $name, $contexts := .Values.readers -}}
{{- $publish := list -}}
{{- $subscribe := list -}}
{{- range $contexts | sortAlpha -}}
{{- $grant := get $grants . | toRawJson | replace "THE-READER" $name | fromJson -}}
{{- $publish = concat $publish $grant.publish -}}
{{- $subscribe = concat $subscribe $grant.subscribe | uniq -}}
{{- end -}}
{{- $permissions := dict "publish" (dict "allow" $publish) "subscribe" (dict "allow" $subscribe) -}}
{{- $users = append $users (dict "user" (include "tradewind.readerId" (list $ $name)) "permissions" $permissions) -}}
{{- end -}}
{{- dict "authorization" (dict "users" $users) | toRawJson -}}
{{- end -}}
{{- end -}}

{{/* Who a reader is, and what it is granted: (list $ "reporting") */}}
{{- define "tradewind.readerId" -}}
{{- $root := index . 0 -}}
{{- printf "spiffe://%s/reader/%s/%s" $root.Values.trustDomain (index . 1) (get $root.Values.readers (index . 1) | sortAlpha | join "/") -}}
{{- end -}}

{{/* Those of them that are the contracts'. */}}
{{- define "tradewind.natsWorkloads" -}}
{{- .Files.Get "files/broker-users.json" | replace "spiffe://tradewind.local/" (printf "spiffe://%s/" .Values.trustDomain) -}}
{{- end -}}

{{/* The workloads that the broker lets in, as a list, without readers. */}}
{{- define "tradewind.natsClients" -}}
{{- $clients := list -}}
{{- range (include "tradewind.natsWorkloads" . | fromJson).authorization.users -}}{{- $clients = append $clients (base .user) -}}{{- end -}}
{{- toJson $clients -}}
{{- end -}}

{{/* The rule of a NetworkPolicy by which a pod reaches the broker. */}}
{{- define "tradewind.natsEgress" -}}
{{- if eq .Values.nats.mode "internal" -}}
- to:
    - {{ include "tradewind.pods" (list . (list "nats")) | indent 6 | trim }}
  ports:
    - {port: client}
{{- else -}}
- to:
    {{- toYaml .Values.nats.external.peers | nindent 4 }}
  ports:
    - {port: {{ .Values.nats.external.port }}}
{{- end -}}
{{- end -}}
