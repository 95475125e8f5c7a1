{{/* The pod's half of the restricted profile, with ids as in .Values.runAs: (list ids) */}}
{{- define "tradewind.podSecurity" -}}
{{- $ids := index . 0 -}}
runAsNonRoot: true
{{- with $ids.user }}
runAsUser: {{ include "tradewind.text" . }}
{{- end }}
{{- with $ids.group }}
runAsGroup: {{ include "tradewind.text" . }}
{{- end }}
{{- with $ids.fsGroup }}
fsGroup: {{ include "tradewind.text" . }}
fsGroupChangePolicy: OnRootMismatch
{{- end }}
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{/* The container's half. */}}
{{- define "tradewind.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Keeps the pods that a selector selects apart: (list selector whenUnsatisfiable) */}}
{{- define "tradewind.spread" -}}
{{- $selector := index . 0 -}}
{{- $when := index . 1 -}}
{{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
- maxSkew: 1
  topologyKey: {{ . }}
  whenUnsatisfiable: {{ $when }}
  labelSelector:
    matchLabels:
      {{- $selector | nindent 6 }}
{{- end }}
{{- end -}}

{{/* The volume of a workload's certificate: (list $ "catalog") */}}
{{- define "tradewind.tlsVolume" -}}
name: tls
secret:
  secretName: {{ include "tradewind.tlsSecret" . }}
  defaultMode: 0440
{{- end -}}

{{/* How a pod finds the images. */}}
{{- define "tradewind.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The claim of a StatefulSet; nothing in it changes with an upgrade: (list $ "nats" storage) */}}
{{- define "tradewind.claim" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $storage := index . 2 -}}
{{- $name := printf "%s-%s" (include "tradewind.fullname" $root) $component -}}
{{- with lookup "apps/v1" "StatefulSet" $root.Release.Namespace $name -}}
{{- $claim := (first .spec.volumeClaimTemplates).spec -}}
{{- $size := include "tradewind.text" $storage.size -}}
{{- $had := $claim.resources.requests.storage -}}
{{- if ne (include "tradewind.bytes" $had) (include "tradewind.bytes" $size) -}}
{{- printf "the volumes of %s were made with %s and Kubernetes lets nobody ask for another size here: leave storage.size at %s (it was set to %s). To grow a volume, edit its PersistentVolumeClaim, where its class allows it" $name $had $had $size | fail -}}
{{- end -}}
{{- if and $storage.className (ne $storage.className (default "" $claim.storageClassName)) -}}
{{- printf "the volumes of %s have the storage class %q, which cannot be changed: leave storage.className at it" $name (default "" $claim.storageClassName) | fail -}}
{{- end -}}
{{- end -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data
  labels:
    {{- include "tradewind.selector" . | nindent 4 }}
spec:
  accessModes: [ReadWriteOnce]
  {{- with $storage.className }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests:
      storage: {{ include "tradewind.text" $storage.size }}
{{- end -}}

{{/* A quantity of bytes as a number. */}}
{{- define "tradewind.bytes" -}}
{{- $units := dict "" 1.0 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 "Pi" 1125899906842624.0 -}}
{{- mulf (regexFind "^[0-9.]+" . | float64) (get $units (regexFind "[A-Za-z]*$" .)) -}}
{{- end -}}
