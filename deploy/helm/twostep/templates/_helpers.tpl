{{/* The name of all that belongs to one release; the chart's own name is not said twice. */}}
{{- define "twostep.name" -}}
{{- $name := ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) -}}
{{- $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "twostep.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "twostep.labels" -}}
{{ include "twostep.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "twostep.claim" -}}
{{- .Values.storage.volume.existingClaim | default (printf "%s-data" (include "twostep.name" .)) -}}
{{- end -}}

{{/* Every name that a caller may use: of the Service, of the ingress, those that were given, and the pod's own for Prometheus. */}}
{{- define "twostep.hosts" -}}
{{- $name := include "twostep.name" . -}}
{{- $space := .Release.Namespace -}}
{{- $hosts := list $name (printf "%s.%s" $name $space) (printf "%s.%s.svc" $name $space) (printf "%s.%s.svc.cluster.local" $name $space) -}}
{{- if .Values.ingress.enabled -}}{{- $hosts = append $hosts .Values.ingress.host -}}{{- end -}}
{{- concat $hosts .Values.allowedHosts (list "$(POD_IP)") | join "," -}}
{{- end -}}
