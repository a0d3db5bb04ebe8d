{{- define "previewbot.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{/* Labels of a pod that never change; call with (dict "root" $ "component" "web"). */}}
{{- define "previewbot.selectorLabels" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "previewbot.labels" -}}
{{ include "previewbot.selectorLabels" . }}
app.kubernetes.io/part-of: previewbot
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "previewbot.image" -}}
{{- include "previewbot.imageOf" (dict "image" .Values.image "root" .) -}}
{{- end }}

{{/* An image as a pod names it; call with (dict "image" .Values.image "root" $). */}}
{{- define "previewbot.imageOf" -}}
{{- $root := .root -}}
{{- with .image -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository (.tag | default $root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* The host people and GitHub reach pages and web by, without a port. */}}
{{- define "previewbot.publicHost" -}}
{{- $url := urlParse .Values.settings.public_url -}}
{{- if trimSuffix "/" $url.path -}}
{{- fail (printf "settings.public_url %q has a path: an Ingress or HTTPRoute of this chart serves a whole host; use a host of its own" .Values.settings.public_url) -}}
{{- end -}}
{{- regexReplaceAll ":[0-9]+$" $url.host "" | lower -}}
{{- end }}

{{/* How people sign in: as the settings say, else with GitHub if there is what they need for it. */}}
{{- define "previewbot.access" -}}
{{- .Values.settings.access | default (ternary "github" "none" (not (empty .Values.signIn.existingSecret))) -}}
{{- end }}

{{/* Not empty where people can sign in with GitHub. */}}
{{- define "previewbot.signsIn" -}}
{{- $access := include "previewbot.access" . -}}
{{- if eq $access "github" -}}
{{- if not .Values.signIn.existingSecret -}}
{{- fail (printf "settings.access %q needs signIn.existingSecret: the name of a Secret with the keys client-secret and cookie-keys" $access) -}}
{{- end -}}
true
{{- end -}}
{{- end }}

{{/* Not empty where people come by a proxy and have something to press: then pages has the keys by which it knows its forms. */}}
{{- define "previewbot.pressByProxy" -}}
{{- $proxy := .Values.settings.proxy | default dict -}}
{{- $saySomething := get $proxy "may_say" | toString | ne "false" -}}
{{- if and (eq (include "previewbot.access" .) "proxy") (or $saySomething (get $proxy "may_extend")) -}}
{{- if not .Values.signIn.existingSecret -}}
{{- fail "settings.access \"proxy\" needs signIn.existingSecret: the name of a Secret with the key cookie-keys; or, where people are to look only, settings.proxy.may_say: false" -}}
{{- end -}}
true
{{- end -}}
{{- end }}

{{/* What may be asked for by people who come by a proxy, as a list of CEL. */}}
{{- define "previewbot.askedByProxy" -}}
{{- $proxy := .Values.settings.proxy | default dict -}}
{{- $asked := list -}}
{{- if include "previewbot.pressByProxy" . -}}
{{- if get $proxy "may_say" | toString | ne "false" -}}{{- $asked = append $asked "'say'" -}}{{- end -}}
{{- if get $proxy "may_extend" -}}{{- $asked = append $asked "'extend'" -}}{{- end -}}
{{- end -}}
[{{ join ", " $asked }}]
{{- end }}

{{/* What of web and of pages is exposed, as paths of an HTTPRoute by the process that answers them, in JSON: "/webhook"
     exactly; the start, and everything below "/p". Call with (dict "root" $ "expose" (list "webhook" "pages")). */}}
{{- define "previewbot.exposedPaths" -}}
{{- $paths := list -}}
{{- if has "webhook" .expose -}}
{{- $paths = append $paths (dict "to" "web" "paths" (list (dict "type" "Exact" "value" "/webhook"))) -}}
{{- end -}}
{{- if has "pages" .expose -}}
{{- $pages := list (dict "type" "Exact" "value" "/") (dict "type" "PathPrefix" "value" "/p") -}}
{{- range list "/p.json" "/previews" "/previews.json" "/openapi.json" -}}
{{- $pages = append $pages (dict "type" "Exact" "value" .) -}}
{{- end -}}
{{- if include "previewbot.signsIn" .root -}}
{{- $pages = append $pages (dict "type" "PathPrefix" "value" "/sign-in") -}}
{{- $pages = append $pages (dict "type" "Exact" "value" "/sign-out") -}}
{{- end -}}
{{- if .root.Values.guard.existingSecret -}}
{{- $pages = append $pages (dict "type" "Exact" "value" "/enter") -}}
{{- end -}}
{{- $paths = append $paths (dict "to" "pages" "paths" $pages) -}}
{{- end -}}
{{- toJson $paths -}}
{{- end }}

{{/* Not empty where hosts at which no preview is lead to the page that says so. Where the public host is one of them, only
     if the chart's own route leads that host to the pages: else the page might lead to itself, without end, and GitHub's
     webhooks with it. */}}
{{- define "previewbot.leadsToNoPreview" -}}
{{- $gateway := and .Values.settings.links .Values.settings.links.gateway -}}
{{- if and $gateway .Values.noPreviewRoute.enabled -}}
{{- $host := (include "previewbot.redirectToPages" . | fromJson).hostname -}}
{{- $led := and .Values.httpRoute.enabled (has "pages" .Values.httpRoute.expose) (has "webhook" .Values.httpRoute.expose) -}}
{{- if or $led (not (hasSuffix (printf ".%s" (lower $gateway.domain)) $host)) -}}
true
{{- end -}}
{{- end -}}
{{- end }}

{{/* A duration of the settings, like 2h30m, in seconds. */}}
{{- define "previewbot.seconds" -}}
{{- $units := dict "d" 86400 "h" 3600 "m" 60 "s" 1 -}}
{{- $total := 0 -}}
{{- range regexFindAll "[0-9]+[dhms]" (lower .) -1 -}}
{{- $number := regexFind "[0-9]+" . | int64 -}}
{{- $total = add $total (mul $number (get $units (regexFind "[dhms]" .))) -}}
{{- end -}}
{{- $total -}}
{{- end }}
