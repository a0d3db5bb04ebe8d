{{/* The settings file: what the values say, and what only the chart knows. */}}
{{- define "previewbot.settings" -}}
{{- $settings := deepCopy .Values.settings -}}
{{- $_ := set $settings.github "private_key_file" "/etc/previewbot/github/app.pem" -}}
{{- $_ := set $settings.github "webhook_secret_file" "/etc/previewbot/github/webhook-secret" -}}
{{- $_ := set $settings.cluster "lease" (dict "name" (include "previewbot.lease" .) "namespace" .Release.Namespace) -}}
{{- $registries := $settings.images.registries | default dict -}}
{{- range .Values.registry.hosts -}}
{{- $_ := set $registries . (merge (dict "docker_config_file" "/etc/previewbot/registry/config.json") (get $registries . | default dict)) -}}
{{- end -}}
{{- range .Values.registry.caHosts -}}
{{- $_ := set $registries . (merge (dict "ca_file" "/etc/previewbot/registry-ca/ca.crt") (get $registries . | default dict)) -}}
{{- end -}}
{{- if $registries -}}
{{- $_ := set $settings.images "registries" $registries -}}
{{- end -}}
{{- toYaml $settings -}}
{{- end }}

{{- define "previewbot.lease" -}}
{{- printf "%s-controller" (include "previewbot.fullname" .) -}}
{{- end }}

{{/* ttl.max in seconds; refuses a default beyond it before any pod does. */}}
{{- define "previewbot.longestTtl" -}}
{{- $ttl := .Values.settings.ttl | default dict -}}
{{- $longest := include "previewbot.seconds" ($ttl.max | default "72h") | int64 -}}
{{- if gt (include "previewbot.seconds" ($ttl.default | default "8h") | int64) $longest -}}
{{- fail (printf "settings.ttl.default must be at most settings.ttl.max, which is %s" ($ttl.max | default "72h")) -}}
{{- end -}}
{{- $longest -}}
{{- end }}

{{/* Where images may come from, as they are compared: a registry in small letters, a path, a slash; as JSON. */}}
{{- define "previewbot.imagePrefixes" -}}
{{- $prefixes := list -}}
{{- range .Values.settings.images.allowed -}}
{{- $parts := splitn "/" 2 . -}}
{{- $registry := lower $parts._0 -}}
{{- if eq $registry "index.docker.io" -}}
{{- $registry = "docker.io" -}}
{{- end -}}
{{- $prefixes = append $prefixes (printf "%s/" (printf "%s/%s" $registry ($parts._1 | default "") | trimSuffix "/")) -}}
{{- end -}}
{{- toJson $prefixes -}}
{{- end }}

{{/* Ports on which the controller reaches GitHub and the registries of the settings; as JSON. */}}
{{- define "previewbot.remotePorts" -}}
{{- $ports := list 443 -}}
{{- $api := urlParse .Values.settings.github.api_url -}}
{{- with regexFind ":[0-9]+$" $api.host -}}
{{- $ports = append $ports (trimPrefix ":" . | int) -}}
{{- end -}}
{{- if eq $api.scheme "http" -}}
{{- $ports = append $ports 80 -}}
{{- end -}}
{{- $registries := .Values.settings.images.registries | default dict -}}
{{- range concat .Values.settings.images.allowed (keys $registries | sortAlpha) -}}
{{- with regexFind ":[0-9]+$" (splitList "/" . | first) -}}
{{- $ports = append $ports (trimPrefix ":" . | int) -}}
{{- end -}}
{{- end -}}
{{- range $registries -}}
{{- if and . .plain_http -}}
{{- $ports = append $ports 80 -}}
{{- end -}}
{{- with . | default dict | dig "token_server" "" -}}
{{- with regexFind ":[0-9]+$" (urlParse .).host -}}
{{- $ports = append $ports (trimPrefix ":" . | int) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson ($ports | uniq) -}}
{{- end }}
