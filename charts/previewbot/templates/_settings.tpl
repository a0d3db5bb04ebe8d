{{/* The settings file: what the values say, and what only the chart knows. */}}
{{- define "previewbot.settings" -}}
{{- $settings := deepCopy .Values.settings -}}
{{- $_ := set $settings.github "private_key_file" "/etc/previewbot/github/app.pem" -}}
{{- $_ := set $settings.github "webhook_secret_file" "/etc/previewbot/github/webhook-secret" -}}
{{- if .Values.api.existingSecret -}}
{{- $_ := set $settings "api" (dict "bearer_file" "/etc/previewbot/api/bearer") -}}
{{- end -}}
{{- if .Values.signIn.existingSecret -}}
{{- $signIn := $settings.sign_in | default dict -}}
{{- if include "previewbot.signsIn" . -}}
{{- $_ := set $signIn "client_secret_file" "/etc/previewbot/sign-in/client-secret" -}}
{{- end -}}
{{- $_ := set $signIn "cookie_keys_file" "/etc/previewbot/sign-in/cookie-keys" -}}
{{- $_ := set $settings "sign_in" $signIn -}}
{{- end -}}
{{- if .Values.guard.existingSecret -}}
{{- if not ($settings | dig "links" "gateway" "guard" "") -}}
{{- fail "guard.existingSecret has the keys of settings.links.gateway.guard, which is not set" -}}
{{- end -}}
{{- $_ := set $settings.links.gateway.guard "keys_file" "/etc/previewbot/guard/keys" -}}
{{- else if $settings | dig "links" "gateway" "guard" "" -}}
{{- fail "settings.links.gateway.guard needs guard.existingSecret: the name of a Secret with the key keys" -}}
{{- end -}}
{{- with .Values.pictures -}}
{{- if .enabled -}}
{{- if $settings.pictures -}}
{{- fail "settings.pictures is set by the chart where pictures.enabled is true: write pictures.public there" -}}
{{- end -}}
{{- $url := printf "http://%s-pictures:8080" (include "previewbot.fullname" $) -}}
{{- $_ := set $settings "pictures" (dict "url" $url "token_file" "/etc/previewbot/pictures/token" "public" .public) -}}
{{- end -}}
{{- end -}}
{{- if .Values.signIn.proxyKeysConfigMap -}}
{{- $assertion := get ($settings.proxy | default dict) "assertion" -}}
{{- if not $assertion -}}
{{- fail "signIn.proxyKeysConfigMap has the keys of settings.proxy.assertion, which is not set" -}}
{{- end -}}
{{- $_ := set $assertion "keys_file" "/etc/previewbot/proxy/jwks.json" -}}
{{- end -}}
{{- if .Values.githubServer.caConfigMap -}}
{{- $_ := set $settings.github "ca_file" "/etc/previewbot/github-ca/ca.crt" -}}
{{- end -}}
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
{{- range . -}}
{{- $parts := splitn "/" 2 . -}}
{{- $registry := lower $parts._0 -}}
{{- if eq $registry "index.docker.io" -}}
{{- $registry = "docker.io" -}}
{{- end -}}
{{- $prefixes = append $prefixes (printf "%s/" (printf "%s/%s" $registry ($parts._1 | default "") | trimSuffix "/")) -}}
{{- end -}}
{{- toJson $prefixes -}}
{{- end }}

{{/* The port of a URL; its scheme's own where it names none. */}}
{{- define "previewbot.portOf" -}}
{{- $url := urlParse . -}}
{{- regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (eq $url.scheme "http" | ternary "80" "443") -}}
{{- end }}

{{/* Ports of the proxies that the values name: in variables, or, where those come from elsewhere, as ports; as JSON. */}}
{{- define "previewbot.proxyPorts" -}}
{{- $ports := .Values.networkPolicy.proxyPorts -}}
{{- range .Values.extraEnv -}}
{{- if and (has (upper .name) (list "HTTPS_PROXY" "HTTP_PROXY")) .value -}}
{{- $url := contains "://" .value | ternary .value (printf "http://%s" .value) -}}
{{- $ports = append $ports (include "previewbot.portOf" (trimSuffix "/" $url) | int) -}}
{{- end -}}
{{- end -}}
{{- $found := list -}}
{{- range $ports -}}
{{- $found = append $found (int .) -}}
{{- end -}}
{{- toJson ($found | uniq) -}}
{{- end }}

{{/* Ports on which the controller reaches the registries of the settings, their token servers, and by 443 those that
     previewbot knows and where registries keep their contents; as JSON. */}}
{{- define "previewbot.registryPorts" -}}
{{- $ports := list 443 -}}
{{- $registries := dict -}}
{{- range $host, $access := .Values.settings.images.registries | default dict -}}
{{- $_ := set $registries (lower $host) ($access | default dict) -}}
{{- end -}}
{{- range .Values.settings.images.allowed -}}
{{- $host := splitList "/" . | first | lower -}}
{{- $access := get $registries $host | default dict -}}
{{- $scheme := $access | dig "plain_http" false | ternary "http" "https" -}}
{{- $asked := $access | dig "address" "" | default $host -}}
{{- $ports = append $ports (include "previewbot.portOf" (printf "%s://%s" $scheme $asked) | int) -}}
{{- with $access | dig "token_server" "" -}}
{{- $ports = append $ports (include "previewbot.portOf" . | int) -}}
{{- end -}}
{{- end -}}
{{- toJson ($ports | uniq) -}}
{{- end }}

{{/* Ports on which the controller asks links; none where it does not. Share hosts are at 443. As JSON. */}}
{{- define "previewbot.linkPorts" -}}
{{- $links := .Values.settings.links | default dict -}}
{{- $ports := list -}}
{{- if ne (toString $links.check) "false" -}}
{{- $gateway := $links.gateway | default dict -}}
{{- $ports = list ($gateway.port | default (eq ($gateway.scheme | default "https") "http" | ternary 80 443)) -}}
{{- $ports = concat $ports .Values.networkPolicy.linkPorts -}}
{{- end -}}
{{- toJson $ports -}}
{{- end }}
