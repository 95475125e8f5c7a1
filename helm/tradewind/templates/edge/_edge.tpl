{{/* The Secret with the certificate for browsers that the gateway itself shows; nothing where it speaks plain HTTP. */}}
{{- define "tradewind.edgeCertificate" -}}
{{- if .Values.gateway.tls.certManager.enabled -}}
{{- .Values.gateway.tls.secret | default (printf "%s-web-tls" (include "tradewind.fullname" .)) -}}
{{- else -}}
{{- .Values.gateway.tls.secret -}}
{{- end -}}
{{- end -}}

{{/* Whether somebody stands between the gateway and those who call it, whose word has to be taken of where they are. */}}
{{- define "tradewind.edgeIsBehind" -}}
{{- $gateway := .Values.gateway -}}
{{- if or $gateway.ingress.enabled $gateway.httpRoute.enabled $gateway.grpcRoute.enabled -}}true{{- end -}}
{{- end -}}

{{/* The gateway's own settings, as JSON: strings all. */}}
{{- define "tradewind.edgeSettings" -}}
{{- $gateway := .Values.gateway -}}
{{- $settings := dict
  "HTTP_ADDR" (include "tradewind.listen" (list . 8080))
  "TRUSTED_PROXIES" ($gateway.trustedProxies | join ",")
  "CORS_ORIGINS" ($gateway.corsOrigins | join ",")
-}}
{{- if include "tradewind.edgeCertificate" . -}}
{{- $_ := set $settings "TLS_CERTIFICATE" "/etc/tradewind/web/tls.crt" -}}
{{- $_ := set $settings "TLS_KEY" "/etc/tradewind/web/tls.key" -}}
{{- end -}}
{{- /* Tokens are believed of whoever identity says that it is. */ -}}
{{- $identity := dict -}}
{{- include "tradewind.service" (list . "identity" $identity) -}}
{{- with $identity.settings.ISSUER -}}{{- $_ := set $settings "ISSUER" . -}}{{- end -}}
{{- toJson $settings -}}
{{- end -}}

{{/* Values of the edge that contradict each other. */}}
{{- define "tradewind.checkEdge" -}}
{{- $gateway := .Values.gateway -}}
{{- $behind := include "tradewind.edgeIsBehind" . -}}
{{- if and $behind (not $gateway.enabled) -}}
{{- fail "gateway.enabled: is needed for its Ingress and its routes" -}}
{{- end -}}
{{- if and $behind (not $gateway.trustedProxies) -}}
{{- fail "gateway.trustedProxies: name the addresses of those who forward to the gateway, as in [10.0.0.0/8]; otherwise all who call would be at one address, and who guesses at passwords would keep everybody from signing in" -}}
{{- end -}}
{{- if and $gateway.ingress.enabled (not $gateway.hosts) -}}
{{- fail "gateway.hosts: is needed for an Ingress" -}}
{{- end -}}
{{- range $kind := list "httpRoute" "grpcRoute" -}}
{{- $route := index $gateway $kind -}}
{{- if and $route.enabled (not $route.parentRefs) -}}
{{- fail (printf "gateway.%s.parentRefs: name the Gateway that the route belongs to" $kind) -}}
{{- end -}}
{{- end -}}
{{- if $gateway.tls.certManager.enabled -}}
{{- if not $gateway.tls.certManager.issuer.name -}}
{{- fail "gateway.tls.certManager.issuer.name: is needed; an issuer whose certificates browsers believe" -}}
{{- end -}}
{{- if not $gateway.hosts -}}
{{- fail "gateway.hosts: is needed for a certificate" -}}
{{- end -}}
{{- end -}}
{{- end -}}
