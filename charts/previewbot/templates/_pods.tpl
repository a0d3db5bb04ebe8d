{{/* What the pods of all processes have in common; called with (dict "root" $ "component" "web"). */}}

{{- define "previewbot.podMetadata" -}}
labels:
  {{- include "previewbot.labels" . | nindent 2 }}
  {{- with .root.Values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  # The settings are read when a pod starts: other settings, other pods.
  checksum/settings: {{ include "previewbot.settings" .root | sha256sum }}
  {{- with .root.Values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "previewbot.podPlacement" -}}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "previewbot.selectorLabels" $ | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{- define "previewbot.podIdentity" -}}
serviceAccountName: {{ include "previewbot.fullname" .root }}-{{ .component }}
automountServiceAccountToken: true
# Variables named after Services would look like settings.
enableServiceLinks: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "previewbot.container" -}}
image: {{ include "previewbot.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  {{- include "previewbot.containerSecurity" .root | nindent 2 }}
{{- end }}

{{- define "previewbot.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* Programs of the values that log in at registries, for the controller alone: each puts one into the folder that the
     image has in its PATH for them. */}}
{{- define "previewbot.credentialHelpers" -}}
{{- if eq .component "controller" }}
{{- with .root.Values.registry.credentialHelpers }}
initContainers:
  {{- range $index, $helper := . }}
  - name: credential-helper-{{ $index }}
    image: {{ $helper.image }}
    command: {{ toJson $helper.command }}
    securityContext:
      {{- include "previewbot.containerSecurity" $.root | nindent 6 }}
    resources:
      requests: {cpu: 10m, memory: 16Mi}
      limits: {memory: 128Mi}
    volumeMounts:
      - {name: credential-helpers, mountPath: /credential-helpers}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Not empty where a process asks GitHub, and that has a CA of its own. */}}
{{- define "previewbot.trustsGitHubsCa" -}}
{{- if .root.Values.githubServer.caConfigMap -}}
{{- if or (eq .component "controller") (and (eq .component "pages") (include "previewbot.signsIn" .root)) -}}
true
{{- end -}}
{{- end -}}
{{- end }}

{{/* The files that a process reads: its settings, and of the secrets only its own. */}}
{{- define "previewbot.mounts" -}}
- {name: settings, mountPath: /etc/previewbot/settings, readOnly: true}
{{- if ne .component "pages" }}
- {name: github, mountPath: /etc/previewbot/github, readOnly: true}
{{- end }}
{{- if eq .component "pages" }}
{{- if .root.Values.api.existingSecret }}
- {name: api, mountPath: /etc/previewbot/api, readOnly: true}
{{- end }}
{{- if .root.Values.signIn.existingSecret }}
- {name: sign-in, mountPath: /etc/previewbot/sign-in, readOnly: true}
{{- end }}
{{- if .root.Values.signIn.proxyKeysConfigMap }}
- {name: proxy, mountPath: /etc/previewbot/proxy, readOnly: true}
{{- end }}
{{- end }}
{{- if and .root.Values.guard.existingSecret (ne .component "web") }}
- {name: guard, mountPath: /etc/previewbot/guard, readOnly: true}
{{- end }}
{{- if and .root.Values.pictures.enabled (ne .component "web") }}
- {name: pictures, mountPath: /etc/previewbot/pictures, readOnly: true}
{{- end }}
{{- if include "previewbot.trustsGitHubsCa" . }}
- {name: github-ca, mountPath: /etc/previewbot/github-ca, readOnly: true}
{{- end }}
{{- if eq .component "controller" }}
{{- with .root.Values.registry }}
{{- if .existingSecret }}
- {name: registry, mountPath: /etc/previewbot/registry, readOnly: true}
{{- end }}
{{- if .caConfigMap }}
- {name: registry-ca, mountPath: /etc/previewbot/registry-ca, readOnly: true}
{{- end }}
{{- if .credentialHelpers }}
- {name: credential-helpers, mountPath: /credential-helpers, readOnly: true}
{{- end }}
{{- end }}
{{- end }}
- {name: tmp, mountPath: /tmp}
{{- end }}

{{- define "previewbot.volumes" -}}
- name: settings
  configMap:
    name: {{ include "previewbot.fullname" .root }}
{{- if ne .component "pages" }}
- name: github
  secret:
    secretName: {{ .root.Values.existingSecret }}
    defaultMode: 0440
    items:
      {{- if eq .component "controller" }}
      - {key: app.pem, path: app.pem}
      {{- else }}
      - {key: webhook-secret, path: webhook-secret}
      {{- end }}
{{- end }}
{{- if eq .component "pages" }}
{{- with .root.Values.api.existingSecret }}
- name: api
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items:
      - {key: bearer, path: bearer}
{{- end }}
{{- with .root.Values.signIn.existingSecret }}
- name: sign-in
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items:
      {{- if include "previewbot.signsIn" $.root }}
      - {key: client-secret, path: client-secret}
      {{- end }}
      - {key: cookie-keys, path: cookie-keys}
{{- end }}
{{- with .root.Values.signIn.proxyKeysConfigMap }}
- name: proxy
  configMap:
    name: {{ . }}
    items:
      - {key: jwks.json, path: jwks.json}
{{- end }}
{{- end }}
{{- if and .root.Values.guard.existingSecret (ne .component "web") }}
- name: guard
  secret:
    secretName: {{ .root.Values.guard.existingSecret }}
    defaultMode: 0440
    items:
      - {key: keys, path: keys}
{{- end }}
{{- if and .root.Values.pictures.enabled (ne .component "web") }}
- name: pictures
  secret:
    secretName: {{ .root.Values.pictures.existingSecret }}
    defaultMode: 0440
    items:
      - {key: token, path: token}
{{- end }}
{{- if include "previewbot.trustsGitHubsCa" . }}
- name: github-ca
  configMap:
    name: {{ .root.Values.githubServer.caConfigMap }}
    items:
      - {key: ca.crt, path: ca.crt}
{{- end }}
{{- if eq .component "controller" }}
{{- with .root.Values.registry.existingSecret }}
- name: registry
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items:
      - {key: .dockerconfigjson, path: config.json}
{{- end }}
{{- with .root.Values.registry.caConfigMap }}
- name: registry-ca
  configMap:
    name: {{ . }}
    items:
      - {key: ca.crt, path: ca.crt}
{{- end }}
{{- if .root.Values.registry.credentialHelpers }}
- name: credential-helpers
  emptyDir: {sizeLimit: 256Mi}
{{- end }}
{{- end }}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
{{- end }}
