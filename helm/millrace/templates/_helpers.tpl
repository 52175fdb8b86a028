{{- define "millrace.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "millrace.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains (include "millrace.name" .) .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "millrace.name" .) | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "millrace.selectorLabels" -}}
app.kubernetes.io/name: {{ include "millrace.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "millrace.labels" -}}
{{ include "millrace.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "millrace.metadata" -}}
name: {{ include "millrace.fullname" . }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "millrace.labels" . | nindent 2 }}
{{- end -}}

{{- define "millrace.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "millrace.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "millrace.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "millrace.manifestsConfigMap" -}}
{{- default (include "millrace.fullname" .) .Values.manifests.existingConfigMap -}}
{{- end -}}

{{/* "true" when something else than replicaCount says how many pods there are. */}}
{{- define "millrace.isScaled" -}}
{{- if or .Values.autoscaling.enabled .Values.keda.enabled -}}true{{- end -}}
{{- end -}}

{{/* "true" when the store is one that several pods can share. */}}
{{- define "millrace.isShared" -}}
{{- if has .Values.store.type (list "postgres" "dynamodb") -}}true{{- end -}}
{{- end -}}

{{/* Long enough for an invocation that began when the stop came: cut off, it would be repeated. */}}
{{- define "millrace.drainSeconds" -}}
{{- if not (kindIs "invalid" .Values.drainSeconds) -}}
{{- int .Values.drainSeconds -}}
{{- else -}}
{{- $seconds := 25 -}}
{{- range .Values.manifests.resources -}}
{{- $seconds = max $seconds (int (dig "spec" "timeoutSeconds" 0 .)) -}}
{{- end -}}
{{- $seconds -}}
{{- end -}}
{{- end -}}

{{- define "millrace.storeUrl" -}}
{{- if eq .Values.store.type "sqlite" -}}
sqlite:/data/progress.db
{{- else if eq .Values.store.type "memory" -}}
memory:
{{- else if eq .Values.store.type "dynamodb" -}}
{{- printf "dynamodb:%s" .Values.store.dynamodb.table -}}
{{- else -}}
{{- with .Values.store.postgres -}}
{{- printf "postgres://%s:%d/%s" .host (int .port) .database -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Not empty: the chart makes a ConfigMap. With custom resources it holds files alone. */}}
{{- define "millrace.makesManifests" -}}
{{- if not .Values.manifests.existingConfigMap -}}
{{- if or (not .Values.kubernetes.enabled) .Values.manifests.files -}}yes{{- end -}}
{{- end -}}
{{- end -}}

{{/* What the schema cannot say: rules over several values. */}}
{{- define "millrace.check" -}}
{{- $store := .Values.store -}}
{{- $isMany := or (gt (int .Values.replicaCount) 1) (include "millrace.isScaled" .) -}}
{{- if and $isMany (not (include "millrace.isShared" .)) -}}
{{- fail (printf "\n\nMore than one pod needs a store that pods share, and store.type %s is of one pod only.\nSet store.type to postgres or dynamodb, or replicaCount to 1 without autoscaling and keda." $store.type) -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled .Values.keda.enabled -}}
{{- fail "\n\nautoscaling.enabled and keda.enabled would both set the number of pods. Enable one of them." -}}
{{- end -}}
{{- if and (eq $store.type "postgres") (not $store.postgres.host) -}}
{{- fail "\n\nstore.type postgres needs store.postgres.host." -}}
{{- end -}}
{{- if and (eq $store.type "postgres") (not $store.postgres.passwordSecret.name) -}}
{{- fail "\n\nstore.type postgres needs store.postgres.passwordSecret.name, a Secret with the user's password." -}}
{{- end -}}
{{- if and (eq $store.type "dynamodb") (not $store.dynamodb.table) -}}
{{- fail "\n\nstore.type dynamodb needs store.dynamodb.table." -}}
{{- end -}}
{{- if and .Values.api.enabled (not .Values.api.credentialsSecret.name) -}}
{{- fail "\n\nAn API that others reach needs to know them: set api.credentialsSecret.name, a Secret with the file of --api-credentials." -}}
{{- end -}}
{{- if and .Values.sourcesApi.enabled (not .Values.api.credentialsSecret.name) -}}
{{- fail "\n\nProducers that others run need to be known: set api.credentialsSecret.name, a Secret with the file of --api-credentials." -}}
{{- end -}}
{{- if and .Values.sourcesApi.enabled (ne $store.type "sqlite") -}}
{{- fail (printf "\n\nsourcesApi.enabled: streams and queues that millrace keeps itself are a file on the volume of one pod, and store.type %s has no volume.\nSet store.type to sqlite." $store.type) -}}
{{- end -}}
{{- if and .Values.kubernetes.enabled (or .Values.manifests.existingConfigMap .Values.manifests.resources) -}}
{{- fail "\n\nkubernetes.enabled runs custom resources in place of manifests.resources and manifests.existingConfigMap. Give one or the other." -}}
{{- end -}}
{{- if not (or .Values.kubernetes.enabled .Values.manifests.existingConfigMap .Values.manifests.resources) -}}
{{- fail "\n\nThere is nothing to run. Set manifests.resources, at least to the functions that mappings of the API name, or manifests.existingConfigMap, or kubernetes.enabled." -}}
{{- end -}}
{{- if and .Values.manifests.existingConfigMap (or .Values.manifests.resources .Values.manifests.files) -}}
{{- fail "\n\nmanifests.existingConfigMap stands in place of manifests.resources and manifests.files. Give one or the other." -}}
{{- end -}}
{{- end -}}
