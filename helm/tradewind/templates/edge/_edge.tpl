{{/* The services at the edge, whose values are called as they are, as a list. */}}
{{- define "tradewind.edges" -}}
["gateway", "console"]
{{- end -}}

{{/* The Secret with the certificate for browsers that one at the edge itself shows; nothing where it speaks plain HTTP: (list $ "gateway") */}}
{{- define "tradewind.edgeCertificate" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $tls := (index $root.Values $name).tls -}}
{{- if $tls.certManager.enabled -}}
{{- $tls.secret | default (printf "%s-%s" (include "tradewind.fullname" $root) (eq $name "gateway" | ternary "web-tls" (printf "%s-web-tls" $name))) -}}
{{- else -}}
{{- $tls.secret -}}
{{- end -}}
{{- end -}}

{{/* Whether somebody stands between one at the edge and those who call it, whose word has to be taken of where they are: (list $ "gateway") */}}
{{- define "tradewind.edgeIsBehind" -}}
{{- $edge := index (index . 0).Values (index . 1) -}}
{{- if or $edge.ingress.enabled (dig "httpRoute" "enabled" false $edge) (dig "grpcRoute" "enabled" false $edge) -}}true{{- end -}}
{{- end -}}

{{/* The own settings of one at the edge, as JSON: strings all: (list $ "gateway") */}}
{{- define "tradewind.edgeSettings" -}}
{{- $root := index . 0 -}}
{{- $edge := index $root.Values (index . 1) -}}
{{- $settings := dict
  "HTTP_ADDR" (include "tradewind.listen" (list $root 8080))
  "TRUSTED_PROXIES" ($edge.trustedProxies | join ",")
-}}
{{- if include "tradewind.edgeCertificate" . -}}
{{- $_ := set $settings "TLS_CERTIFICATE" "/etc/tradewind/web/tls.crt" -}}
{{- $_ := set $settings "TLS_KEY" "/etc/tradewind/web/tls.key" -}}
{{- end -}}
{{- if eq (index . 1) "gateway" -}}
{{- $_ := set $settings "CORS_ORIGINS" ($edge.corsOrigins | join ",") -}}
{{- /* Tokens are believed of whoever identity says that it is. */ -}}
{{- $identity := dict -}}
{{- include "tradewind.service" (list $root "identity" $identity) -}}
{{- with $identity.settings.ISSUER -}}{{- $_ := set $settings "ISSUER" . -}}{{- end -}}
{{- end -}}
{{- toJson $settings -}}
{{- end -}}

{{/* Values of the edge that contradict each other. */}}
{{- define "tradewind.checkEdge" -}}
{{- $root := . -}}
{{- $console := dict -}}
{{- include "tradewind.service" (list . "console" $console) -}}
{{- if or (ne (int $console.replicas) 1) $console.autoscaling.enabled (ne (int $console.canary.weight) 0) -}}
{{- fail "services.console.replicas: sessions are in the console's memory, so there is one pod of it; leave replicas, autoscaling and canary as they are" -}}
{{- end -}}
{{- if and .Values.console.ingress.enabled (not .Values.console.ingress.tlsSecret) -}}
{{- fail "console.ingress.tlsSecret: name the Secret with the certificate that the controller shows; staff send their passwords, and not without TLS" -}}
{{- end -}}
{{- if and .Values.console.enabled (ne .Values.console.service.type "ClusterIP") (not (include "tradewind.edgeCertificate" (list . "console"))) -}}
{{- fail "console.tls: name the certificate that the console shows; it is reached from outside by its Service, and staff send their passwords, not without TLS" -}}
{{- end -}}
{{- $isOffered := or (include "tradewind.edgeIsBehind" (list . "console")) (ne .Values.console.service.type "ClusterIP") -}}
{{- if and $isOffered .Values.console.enabled .Values.networkPolicy.enabled (not .Values.networkPolicy.console.peers) -}}
{{- fail "networkPolicy.console.peers: name who connects to the console, such as the pods of the ingress controller; nobody else can" -}}
{{- end -}}
{{- range $name := include "tradewind.edges" . | fromJsonArray -}}
{{- $edge := index $root.Values $name -}}
{{- $behind := include "tradewind.edgeIsBehind" (list $root $name) -}}
{{- if and $behind (not $edge.enabled) -}}
{{- fail (printf "%s.enabled: is needed for its Ingress and its routes" $name) -}}
{{- end -}}
{{- if and $behind (not $edge.trustedProxies) -}}
{{- fail (printf "%s.trustedProxies: name the addresses of those who forward to the %s, as in [10.0.0.0/8]; otherwise all who call would be at one address, and who guesses at passwords would keep everybody from signing in" $name $name) -}}
{{- end -}}
{{- if and $edge.ingress.enabled (not $edge.hosts) -}}
{{- fail (printf "%s.hosts: is needed for an Ingress" $name) -}}
{{- end -}}
{{- range $kind := list "httpRoute" "grpcRoute" -}}
{{- $route := index $edge $kind | default dict -}}
{{- if and $route.enabled (not $route.parentRefs) -}}
{{- fail (printf "%s.%s.parentRefs: name the Gateway that the route belongs to" $name $kind) -}}
{{- end -}}
{{- end -}}
{{- if $edge.tls.certManager.enabled -}}
{{- if not $edge.tls.certManager.issuer.name -}}
{{- fail (printf "%s.tls.certManager.issuer.name: is needed; an issuer whose certificates browsers believe" $name) -}}
{{- end -}}
{{- if not $edge.hosts -}}
{{- fail (printf "%s.hosts: is needed for a certificate" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
