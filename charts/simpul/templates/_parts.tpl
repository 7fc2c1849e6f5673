{{/* What is rendered is a list of parts, each one workload with its services: the one machine, or a role. */}}

{{- define "simpul.parts" -}}
{{- include "simpul.rules" . -}}
{{- $parts := list -}}
{{- if eq .Values.log "embedded" -}}
{{- $parts = append $parts (dict "name" "" "role" "machine" "serves" (list "ingest" "timeline" "forwarder" "records") "grpc" 7400 "admin" 7480 "keeps" true "set" .Values.machine) -}}
{{- else -}}
{{- range $n, $role := list "ingest" "timeline" "forwarder" "records" -}}
{{- $keeps := has $role (list "timeline" "forwarder") -}}
{{- $parts = append $parts (dict "name" $role "role" $role "serves" (list $role) "grpc" (add 7401 $n) "admin" (add 7481 $n) "keeps" $keeps "set" (index $.Values.roles $role)) -}}
{{- end -}}
{{- end -}}
{{- $parts | toYaml -}}
{{- end }}

{{/* How a process is told of how many it is one, and where the others are; its own number is in its pod's name. */}}
{{- define "simpul.replicaFlags" -}}
{{- $replicas := int .part.set.replicas -}}
{{- if and (has .part.role (list "timeline" "forwarder")) (gt $replicas 1) }}
- --replicas={{ $replicas }}
{{- if eq .part.role "timeline" }}
- --peers={{ include "simpul.partName" . }}-{}.{{ include "simpul.partName" . }}-pods:{{ .part.grpc }}
{{- end }}
{{- end }}
{{- end }}

{{- define "simpul.rules" -}}
{{- if not .Values.image.repository -}}
{{- fail "\n\nimage.repository: say where your image of Simpul is, such as registry.example.org/simpul. deploy/Dockerfile makes it; none is published.\n" -}}
{{- end -}}
{{- if not .Values.insecure -}}
{{- fail "\n\ninsecure: Simpul's ports are plain text and know no log-in. Set insecure=true once a mesh, network policies or a gateway guards them.\n" -}}
{{- end -}}
{{- with .Values.platform.url -}}
{{- if not (regexMatch "^https?://\\S+$" .) -}}
{{- fail "\n\nplatform.url: give a URL such as https://HOST/PATH.\n" -}}
{{- end -}}
{{- end -}}
{{- with .Values.platform.earliestDay -}}
{{- if not (regexMatch "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" .) -}}
{{- fail "\n\nplatform.earliestDay: write a day as YYYY-MM-DD, in quotes.\n" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.directory.existingConfigMap .Values.directory.existingSecret -}}
{{- fail "\n\ndirectory: give existingConfigMap or existingSecret, not both.\n" -}}
{{- end -}}
{{- if eq .Values.log "kafka" -}}
{{- with .Values.kafka -}}
{{- if not .bootstrap -}}
{{- fail "\n\nkafka.bootstrap: log is kafka; give the brokers, HOST:PORT,HOST:PORT.\n" -}}
{{- end -}}
{{- if not (regexMatch "^[^\\s,]+:[0-9]+(,[^\\s,]+:[0-9]+)*$" .bootstrap) -}}
{{- fail "\n\nkafka.bootstrap: write the brokers as HOST:PORT,HOST:PORT.\n" -}}
{{- end -}}
{{- if ne (empty .tls.authority.existingSecret) (empty .tls.client.existingSecret) -}}
{{- fail "\n\nkafka.tls: give authority.existingSecret and client.existingSecret, or neither for plain text.\n" -}}
{{- end -}}
{{- end -}}
{{- if not .Values.installSecret.existingSecret -}}
{{- fail "\n\ninstallSecret.existingSecret: log is kafka; name the Secret with the install's secret, which `simpul topics --create --secret FILE` makes.\n" -}}
{{- end -}}
{{- else -}}
{{- if .Values.kafka.bootstrap -}}
{{- fail "\n\nkafka.bootstrap: it is given, but log is embedded. Set log=kafka, or leave kafka.bootstrap out.\n" -}}
{{- end -}}
{{- if .Values.installSecret.existingSecret -}}
{{- fail "\n\ninstallSecret.existingSecret: with log embedded the secret is made on the volume. Set log=kafka, or leave it out.\n" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.topics.create (ne .Values.log "kafka") -}}
{{- fail "\n\ntopics.create: there are topics only with log kafka.\n" -}}
{{- end -}}
{{- if and .Values.gateway.enabled (not .Values.gateway.parentRefs) -}}
{{- fail "\n\ngateway.parentRefs: name the gateway that the route is for.\n" -}}
{{- end -}}
{{- end }}

{{- define "simpul.fullname" -}}
{{- if contains "simpul" .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-simpul" (.Release.Name | trunc 33 | trimSuffix "-") -}}
{{- end -}}
{{- end }}

{{/* The others take (dict "root" $ "part" $part). */}}

{{- define "simpul.partName" -}}
{{- include "simpul.fullname" .root -}}{{- with .part.name }}-{{ . }}{{ end -}}
{{- end }}

{{- define "simpul.selector" -}}
app.kubernetes.io/name: simpul
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part.role }}
{{- end }}

{{- define "simpul.labels" -}}
{{ include "simpul.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "simpul.serviceAccount" -}}
{{- .Values.serviceAccount.existing | default (include "simpul.fullname" .) -}}
{{- end }}

{{- define "simpul.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "simpul.kafkaFlags" -}}
- --kafka={{ .Values.kafka.bootstrap }}
{{- with .Values.kafka.prefix }}
- --kafka-prefix={{ . }}
{{- end }}
{{- if .Values.kafka.tls.authority.existingSecret }}
- --kafka-ca=/etc/simpul/kafka/ca.pem
- --kafka-certificate=/etc/simpul/kafka/certificate.pem
- --kafka-key=/etc/simpul/kafka/key.pem
{{- end }}
- --secret=/etc/simpul/install/secret
{{- end }}

{{/* The Pod Security Standard "restricted". */}}
{{- define "simpul.podSecurity" -}}
runAsNonRoot: true
{{- if .Values.security.fixedUser }}
runAsUser: {{ .Values.security.user }}
runAsGroup: {{ .Values.security.user }}
fsGroup: {{ .Values.security.user }}
{{- end }}
# Only a new volume: files that only their owner may read stay so.
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "simpul.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* The command line of `simpul`. */}}
{{- define "simpul.args" -}}
{{- $set := .root.Values -}}
{{- $sends := has "forwarder" .part.serves -}}
{{- $maps := or $sends (has "records" .part.serves) -}}
- serve
{{- with .part.name }}
- {{ . }}
{{- end }}
- --data=/var/lib/simpul
- --grpc={{ $set.listenOn }}:{{ .part.grpc }}
- --admin={{ $set.listenOn }}:{{ .part.admin }}
- --insecure
- --stop-limit={{ $set.stopLimitSeconds }}s
{{- if eq $set.log "kafka" }}
- --log=kafka
{{ include "simpul.kafkaFlags" .root }}
{{- if $set.kafka.acceptSingleCopy }}
- --accept-single-copy
{{- end }}
{{- end }}
{{- if $sends }}
{{- with $set.platform.url }}
- --platform={{ . }}
{{- end }}
{{- if $set.platform.credentials.existingSecret }}
- --credentials=/etc/simpul/platform/credentials.json
{{- end }}
{{- with $set.platform.earliestDay }}
- --earliest-day={{ . }}
{{- end }}
- --request-limit={{ $set.platform.requestLimitSeconds }}s
{{- end }}
{{- if and (has "timeline" .part.serves) $set.checkpoints.existingClaim }}
- --checkpoints=/var/cache/simpul
- --checkpoint-every={{ $set.checkpoints.every }}
{{- end }}
{{- if and $maps (or $set.directory.existingConfigMap $set.directory.existingSecret) }}
- --directory=/etc/simpul/directory/directory.json
{{- end }}
{{- include "simpul.replicaFlags" . }}
{{- end }}

{{/* Whole folders are mounted, never single files: those would not change with their Secret. */}}
{{- define "simpul.volumes" -}}
{{- $set := .root.Values -}}
{{- $sends := has "forwarder" .part.serves -}}
{{- $maps := or $sends (has "records" .part.serves) -}}
{{- if not .part.keeps }}
- name: data
  emptyDir: {sizeLimit: 128Mi}
{{- end }}
{{- if and (has "timeline" .part.serves) $set.checkpoints.existingClaim }}
- name: checkpoints
  persistentVolumeClaim:
    claimName: {{ $set.checkpoints.existingClaim }}
{{- end }}
{{- if eq $set.log "kafka" }}
- name: install
  secret:
    secretName: {{ $set.installSecret.existingSecret }}
    defaultMode: 0400
    items:
      - {key: {{ $set.installSecret.key }}, path: secret}
{{- if $set.kafka.tls.authority.existingSecret }}
- name: kafka
  projected:
    defaultMode: 0400
    sources:
      - secret:
          name: {{ $set.kafka.tls.authority.existingSecret }}
          items:
            - {key: {{ $set.kafka.tls.authority.key }}, path: ca.pem}
      - secret:
          name: {{ $set.kafka.tls.client.existingSecret }}
          items:
            - {key: {{ $set.kafka.tls.client.certificate }}, path: certificate.pem}
            - {key: {{ $set.kafka.tls.client.key }}, path: key.pem}
{{- end }}
{{- end }}
{{- if and $sends $set.platform.credentials.existingSecret }}
- name: platform
  secret:
    secretName: {{ $set.platform.credentials.existingSecret }}
    defaultMode: 0400
    items:
      - {key: {{ $set.platform.credentials.key }}, path: credentials.json}
{{- end }}
{{- if $maps }}
{{- with $set.directory.existingConfigMap }}
- name: directory
  configMap:
    name: {{ . }}
    defaultMode: 0400
    items:
      - {key: {{ $set.directory.key }}, path: directory.json}
{{- end }}
{{- with $set.directory.existingSecret }}
- name: directory
  secret:
    secretName: {{ . }}
    defaultMode: 0400
    items:
      - {key: {{ $set.directory.key }}, path: directory.json}
{{- end }}
{{- end }}
{{- end }}
