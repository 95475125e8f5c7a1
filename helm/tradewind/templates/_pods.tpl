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
{{- $storage := index . 2 -}}
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
