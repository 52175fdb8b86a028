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
{{- if and .Values.scaler.enabled (not (has $store.type (list "postgres" "dynamodb"))) -}}
{{- fail (printf "\n\nscaler.enabled: a scaler is a pod of its own, and store.type %s is of one pod only.\nSet store.type to postgres or dynamodb." $store.type) -}}
{{- end -}}
{{- if and .Values.keda.enabled (eq (int .Values.keda.minReplicas) 0) (not .Values.scaler.enabled) -}}
{{- fail "\n\nkeda.minReplicas 0: who does not run does not know its lag. Set scaler.enabled, whose scaler asks in its place." -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not (or .Values.front.enabled .Values.api.enabled)) -}}
{{- fail "\n\ningress.enabled leads to the front or to the API with its page. Set front.enabled or api.enabled." -}}
{{- end -}}
{{- if and .Values.gatewayRoute.enabled (not (or .Values.front.enabled .Values.api.enabled)) -}}
{{- fail "\n\ngatewayRoute.enabled leads to the front or to the API with its page. Set front.enabled or api.enabled." -}}
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

{{/* How the store is reached, and what sources need: alike for the engine and for its scaler. */}}
{{- define "millrace.env" -}}
{{- $store := .Values.store -}}
{{- if or .Values.env (eq $store.type "postgres") -}}
env:
  {{- if eq $store.type "postgres" }}
  - name: PGUSER
    value: {{ $store.postgres.user | quote }}
  - name: PGPASSWORD
    valueFrom:
      secretKeyRef:
        name: {{ $store.postgres.passwordSecret.name }}
        key: {{ $store.postgres.passwordSecret.key }}
  - name: PGSSLMODE
    value: {{ $store.postgres.sslmode }}
  {{- if $store.postgres.rootCertificateSecret.name }}
  - name: PGSSLROOTCERT
    value: /etc/millrace-postgres/{{ $store.postgres.rootCertificateSecret.key }}
  {{- end }}
  {{- end }}
  {{- with .Values.env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- with .Values.envFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "millrace.sourceMounts" -}}
{{- if or .Values.manifests.existingConfigMap (include "millrace.makesManifests" .) }}
- { name: manifests, mountPath: /etc/millrace, readOnly: true }
{{- end }}
{{- if and (eq .Values.store.type "postgres") .Values.store.postgres.rootCertificateSecret.name }}
- { name: postgres-ca, mountPath: /etc/millrace-postgres, readOnly: true }
{{- end }}
{{- range .Values.secretFiles }}
- { name: {{ printf "secret-%s" . | trunc 63 }}, mountPath: /etc/millrace-secrets/{{ . }}, readOnly: true }
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "millrace.sourceVolumes" -}}
{{- if or .Values.manifests.existingConfigMap (include "millrace.makesManifests" .) }}
- name: manifests
  configMap: { name: {{ include "millrace.manifestsConfigMap" . }} }
{{- end }}
{{- if and (eq .Values.store.type "postgres") .Values.store.postgres.rootCertificateSecret.name }}
- name: postgres-ca
  secret: { secretName: {{ .Values.store.postgres.rootCertificateSecret.name }}, defaultMode: 0440 }
{{- end }}
{{- range .Values.secretFiles }}
- name: {{ printf "secret-%s" . | trunc 63 }}
  secret: { secretName: {{ . }}, defaultMode: 0440 }
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Where pods run, whichever they are. */}}
{{- define "millrace.placement" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "millrace.scalerName" -}}
{{- printf "%s-scaler" (include "millrace.fullname" .) | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "millrace.scalerSelector" -}}
app.kubernetes.io/name: {{ include "millrace.scalerName" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: scaler
{{- end -}}

{{- define "millrace.scalerAddress" -}}
{{- printf "%s.%s.svc:%d" (include "millrace.scalerName" .) .Release.Namespace (int .Values.scaler.port) -}}
{{- end -}}

{{/* A trigger of KEDA that asks the scaler; `metadata` is what it is asked with. */}}
{{- define "millrace.scalerTrigger" -}}
{{- $scaler := .root.Values.scaler -}}
- type: external-push
  metadata:
    scalerAddress: {{ include "millrace.scalerAddress" .root | quote }}
    {{- if $scaler.tlsSecret.name }}
    enableTLS: "true"
    {{- end }}
    {{- range $name, $value := .metadata }}
    {{ $name }}: {{ $value | toString | quote }}
    {{- end }}
  {{- with $scaler.authenticationRef }}
  authenticationRef: { name: {{ . }} }
  {{- end }}
{{- end -}}
