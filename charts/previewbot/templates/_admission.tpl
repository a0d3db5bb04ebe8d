{{/* What the admission policies have in common. Values stand in CEL as JSON, which is CEL as well, quotes and all. */}}

{{- define "previewbot.onlyController" -}}
- name: the-controller
  expression: request.userInfo.username == 'system:serviceaccount:{{ .Release.Namespace }}:{{ include "previewbot.fullname" . }}-controller'
{{- end }}

{{/* Call with (dict "root" $ "name" "previewbot-sessions"). */}}
{{- define "previewbot.binding" -}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ .name }}
  labels:
    {{- include "previewbot.labels" (dict "root" .root "component" "admission") | nindent 4 }}
spec:
  policyName: {{ .name }}
  validationActions: [Deny]
{{- end }}

{{/* As previewbot/rules/environment_keys.py makes keys; a policy cannot compute the hash in one. */}}
{{- define "previewbot.key" -}}
p[a-z2-7]{10}(-[a-z0-9]+)*-[1-9][0-9]*
{{- end }}

{{/* No field beyond: call with (dict "of" "object.spec" "as" "spec." "what" "session" "keys" (list "image")). */}}
{{- define "previewbot.only" -}}
- expression: dyn({{ .of }}).all(k, k in {{ toJson .keys }})
  messageExpression: >-
    "previewbot makes no {{ .what }} with {{ .as }}" + dyn({{ .of }}).filter(k, !(k in {{ toJson .keys }})).join(", {{ .as }}")
{{- end }}

{{/* The same of each of a list; call with (dict "of" "variables.rules" "as" "spec.rules." "what" "route" "keys" (list "filters")). */}}
{{- define "previewbot.onlyEach" -}}
- expression: {{ .of }}.all(o, dyn(o).all(k, k in {{ toJson .keys }}))
  messageExpression: >-
    "previewbot makes no {{ .what }} with {{ .as }}" + {{ .of }}.map(o, dyn(o).filter(k, !(k in {{ toJson .keys }})).join(", {{ .as }}")).filter(w, w != "").join(", {{ .as }}")
{{- end }}

{{/* Variables about whose an object is; expects the variable `key`. */}}
{{- define "previewbot.variablesOfOwner" -}}
- name: number
  expression: variables.key.split('-')[size(variables.key.split('-')) - 1]
- name: owners
  expression: "has(object.metadata.ownerReferences) ? dyn(object.metadata.ownerReferences) : dyn([])"
- name: owner
  expression: "size(variables.owners) == 1 ? string(variables.owners[0].name) : ''"
- name: labels
  expression: "has(object.metadata.labels) ? dyn(object.metadata.labels) : dyn({})"
- name: annotations
  expression: "has(object.metadata.annotations) ? dyn(object.metadata.annotations) : dyn({})"
{{- end }}

{{/* One owner, the Preview of the key's pull request, and nothing that keeps the object from being removed. Call with
     (dict "what" "session" "also" (list "a field of the object's metadata that may stand there too")). */}}
{{- define "previewbot.ownedByItsPreview" -}}
{{- $keys := list "name" "namespace" "uid" "creationTimestamp" "generation" "managedFields" "labels" "annotations" "ownerReferences" -}}
{{ include "previewbot.only" (dict "of" "object.metadata" "as" "metadata." "what" .what "keys" (concat $keys (.also | default list))) }}
- expression: size(variables.owners) == 1
  messageExpression: "'a {{ .what }} has one owner, its Preview, and not ' + string(size(variables.owners))"
{{ include "previewbot.only" (dict "of" "variables.owners[0]" "as" "an owner's " "what" .what "keys" (list "apiVersion" "kind" "name" "uid" "controller")) }}
- expression: >-
    variables.owners[0].apiVersion == 'previewbot.dev/v1alpha1' && variables.owners[0].kind == 'Preview'
    && has(variables.owners[0].controller) && variables.owners[0].controller == true
    && variables.owner.matches('^gh-[1-9][0-9]*-' + variables.number + '$')
  messageExpression: "'the owner ' + variables.owner + ' is not the Preview of pull request ' + variables.number"
{{- end }}

{{/* Whether `target` is of a kind that a session stands in for: previewbot/engine/session_spec.py. */}}
{{- define "previewbot.targetKinds" -}}
[['apps/v1', 'Deployment'], ['apps/v1', 'StatefulSet'], ['argoproj.io/v1alpha1', 'Rollout'], ['apps/v1', 'ReplicaSet'], ['v1', 'Pod'], ['v1', 'Service'], ['batch/v1', 'Job'], ['batch/v1', 'CronJob']].exists(w, w[0] == variables.target.apiVersion && w[1] == variables.target.kind)
{{- end }}

{{/* Whether the values say that a mutating webhook adds the label or annotation `k`; call with the root. */}}
{{- define "previewbot.addedByWebhooks" -}}
k in {{ .Values.admissionPolicy.otherMetadata | default list | toJson }}
{{- end }}

{{/* What to do about a label or annotation that is refused. */}}
{{- define "previewbot.adviceAboutOthers" -}}
; if a mutating webhook adds it, name its key in admissionPolicy.otherMetadata of the chart
{{- end }}

{{/* No other labels than before, but for what the values name; call with (dict "root" $ "message" "web sets no labels"). */}}
{{- define "previewbot.labelsAsBefore" -}}
- expression: >-
    object == null || !has(object.metadata.labels) || object.metadata.labels.all(k, {{ include "previewbot.addedByWebhooks" .root }}
    || oldObject != null && has(oldObject.metadata.labels) && k in oldObject.metadata.labels
    && oldObject.metadata.labels[k] == object.metadata.labels[k])
  message: {{ .message }}{{ include "previewbot.adviceAboutOthers" . }}
- expression: >-
    object == null || oldObject == null || !has(oldObject.metadata.labels)
    || oldObject.metadata.labels.all(k, has(object.metadata.labels) && k in object.metadata.labels)
  message: {{ .message }}, and takes none away
{{- end }}

{{/* A label or annotation `k` of an `object` that somebody else put there: what stood there before, and what the values
     say that a mutating webhook adds. Call with (dict "root" $ "field" "labels"). */}}
{{- define "previewbot.ofOthers" -}}
{{ include "previewbot.addedByWebhooks" .root }}
|| request.operation == 'UPDATE' && has(oldObject.metadata.{{ .field }}) && k in oldObject.metadata.{{ .field }}
&& oldObject.metadata.{{ .field }}[k] == variables.{{ .field }}[k]
{{- end }}

{{/* Labels, or annotations, as (dict key expression-about-`variables.labels[k]`), and what others put there. Call with
     (dict "root" $ "what" "session" "field" "labels" "values" $values). */}}
{{- define "previewbot.metadataOf" -}}
{{- $others := include "previewbot.ofOthers" . }}
{{- $ours := list }}
{{- range $key, $holds := .values }}
{{- $ours = append $ours (printf "k == %s && (%s)" (toJson $key) $holds) }}
{{- end }}
{{- $condition := join "\n|| " (append $ours $others) -}}
- expression: >-
    variables.{{ .field }}.all(k,
    {{- $condition | nindent 4 }})
  messageExpression: >-
    "previewbot makes no {{ .what }} with the {{ trimSuffix "s" .field }} " + variables.{{ .field }}.filter(k, !(
    {{- $condition | nindent 4 }})).map(k, string(k) + ": " + variables.{{ .field }}[k]).join(", ") + {{ include "previewbot.adviceAboutOthers" . | toJson }}
{{- end }}

{{/* What previewbot notes on sessions and routes: previewbot/engine/annotations.py. */}}
{{- define "previewbot.annotations" -}}
{{- $values := dict }}
{{- range $name, $longest := dict "agent" 100 "author" 100 "pull-request" 200 "trigger" 200 "started-by" 100 }}
{{- $_ := set $values (printf "previewbot.dev/%s" $name) (printf "size(variables.annotations[k]) <= %d" $longest) }}
{{- end }}
{{- $_ := set $values "previewbot.dev/head-sha" "variables.annotations[k].matches('^([0-9a-f]{40}|[0-9a-f]{64})$')" }}
{{- $_ := set $values "previewbot.dev/spec-hash" "variables.annotations[k].matches('^[0-9a-f]{16}$')" }}
{{- toJson $values }}
{{- end }}

{{/* Where pages are: a redirect of the Gateway API without its path, in JSON. Not 301, which a browser remembers: there may be a
     preview at the same address later. */}}
{{- define "previewbot.redirectToPages" -}}
{{- $page := urlParse .Values.settings.public_url }}
{{- $redirect := dict "scheme" (lower $page.scheme) "hostname" (regexReplaceAll ":[0-9]*$" $page.host "" | lower) "statusCode" 302 }}
{{- with regexFind ":[0-9]+$" $page.host }}
{{- $_ := set $redirect "port" (trimPrefix ":" . | int) }}
{{- end }}
{{- toJson $redirect }}
{{- end }}

{{/* What a route has that leads a host of the links' domain to a page, in JSON: engine/routes.py has it too, and what the
     API server fills in by default is written out. Call with (dict "root" $ "host" "*" "page" "/p/none"). */}}
{{- define "previewbot.routeToPage" -}}
{{- $gateway := .root.Values.settings.links.gateway }}
{{- $parent := dict "group" "gateway.networking.k8s.io" "kind" "Gateway" "name" (lower $gateway.name) "namespace" $gateway.namespace }}
{{- with $gateway.sectionName }}
{{- $_ := set $parent "sectionName" . }}
{{- end }}
{{- $below := regexReplaceAll "^[^:]*://[^/]*|/+$" .root.Values.settings.public_url "" }}
{{- $redirect := include "previewbot.redirectToPages" .root | fromJson }}
{{- $_ := set $redirect "path" (dict "type" "ReplaceFullPath" "replaceFullPath" (printf "%s%s" $below .page)) }}
{{- $filter := dict "type" "RequestRedirect" "requestRedirect" $redirect }}
{{- $match := dict "path" (dict "type" "PathPrefix" "value" "/") }}
{{- $rule := dict "matches" (list $match) "filters" (list $filter) }}
{{- $host := printf "%s.%s" .host (lower $gateway.domain) }}
{{- dict "parentRefs" (list $parent) "hostnames" (list $host) "rules" (list $rule) | toJson }}
{{- end }}

{{/* Whether `object` (or oldObject) is the route by which `previewbot doctor` sees whether links would work, and nothing
     beyond: previewbot/engine/probe.py. It leads a host that no pull request has to the page of none. Call with
     (dict "root" $ "of" "object"). */}}
{{- define "previewbot.probe" -}}
{{- $spec := include "previewbot.routeToPage" (dict "root" .root "host" "previewbot-doctor" "page" "/p/0/0") | fromJson -}}
{{ .of }}.metadata.name == 'previewbot-doctor' && request.namespace in {{ .root.Values.settings.cluster.namespaces | toJson }}
&& (!has(request.subResource) || request.subResource == '')
{{- if eq .of "object" }}
&& dyn(object.metadata).all(k, k in ["name", "namespace", "uid", "creationTimestamp", "generation", "managedFields"])
{{- end }}
&& {{ include "previewbot.verbatim" (dict "of" (printf "dyn(%s.spec)" .of) "value" $spec) }}
{{- end }}

{{/* Whether some text fits one of the patterns of settings.repositories, as a condition: `*` stays within a part, and where
     there is no pattern nothing fits. Call with (dict "of" "variables.workload" "patterns" $patterns). */}}
{{- define "previewbot.fits" -}}
{{- $whole := list -}}
{{- $beginnings := list -}}
{{- $patterns := list -}}
{{- range .patterns -}}
{{- if regexMatch "^[^*]*/[^*]*[*]$" . -}}
{{- $beginnings = append $beginnings (trimSuffix "*" .) -}}
{{- else if contains "*" . -}}
{{- $patterns = append $patterns (regexQuoteMeta . | replace "\\*" "[^/]*") -}}
{{- else -}}
{{- $whole = append $whole . -}}
{{- end -}}
{{- end -}}
{{- /* Whole names and beginnings are compared, which costs the API server little; it gives up what costs it too much. */ -}}
{{- $conditions := list -}}
{{- with $whole -}}
{{- $conditions = append $conditions (printf "%s in %s" $.of (toJson .)) -}}
{{- end -}}
{{- with $beginnings -}}
{{- $conditions = append $conditions (printf "%s.exists(p, %s.startsWith(p))" (toJson .) $.of) -}}
{{- end -}}
{{- with $patterns -}}
{{- $conditions = append $conditions (printf "%s.matches(%s)" $.of (printf "^(%s)$" (join "|" .) | toJson)) -}}
{{- end -}}
{{- join " || " $conditions | default "false" -}}
{{- end }}

{{/* What settings.repositories opens to anybody at all: a variable a rule, since the API server takes no expression of
     more than 100 000 characters; a rule with an empty list gives nothing. Which repository an object is for, no policy
     knows. Call with (dict "root" $ "about" "targets"), "branches", or "entries": of these it is a list of those that the rule opens.
     "previewbot.opened" is the condition, of an entry "previewbot.openedTo". */}}
{{- define "previewbot.openedByRule" -}}
{{- $about := .about -}}
{{- range $index, $rule := .root.Values.settings.repositories -}}
{{- $nothing := false -}}
{{- range $key := list "namespaces" "targets" "images" -}}
{{- if kindIs "slice" (get $rule $key) -}}
{{- $nothing = or $nothing (not (get $rule $key)) -}}
{{- end -}}
{{- end -}}
{{- $parts := list -}}
{{- if and (kindIs "slice" $rule.namespaces) (or (ne $about "entries") (not (kindIs "slice" $rule.entries))) -}}
{{- $parts = append $parts (printf "request.namespace in %s" (toJson $rule.namespaces)) -}}
{{- end -}}
{{- if ne $about "entries" -}}
{{- if kindIs "slice" $rule.targets -}}
{{- $parts = append $parts (printf "(%s)" (include "previewbot.fits" (dict "of" "variables.workload" "patterns" $rule.targets))) -}}
{{- end -}}
{{- /* A branch runs no image of the repository's own. */ -}}
{{- if and (eq $about "targets") (kindIs "slice" $rule.images) -}}
{{- $parts = append $parts (printf "%s.exists(p, variables.repository.startsWith(p))" (include "previewbot.imagePrefixes" $rule.images)) -}}
{{- end -}}
{{- else if kindIs "slice" $rule.entries -}}
{{- /* One that names no port is not about ports: `staging/*0` is no `staging/web` at port 80. */ -}}
{{- $byOf := dict "e.split(':')[0]" list "e" list -}}
{{- range $rule.entries -}}
{{- $of := ternary "e" "e.split(':')[0]" (contains ":" .) -}}
{{- $_ := set $byOf $of (append (get $byOf $of) .) -}}
{{- end -}}
{{- $either := list -}}
{{- range $of, $patterns := $byOf -}}
{{- $either = append $either (include "previewbot.fits" (dict "of" $of "patterns" $patterns)) -}}
{{- end -}}
{{- $parts = append $parts (printf "(%s)" (join " || " (without $either "false") | default "false")) -}}
{{- end }}
{{- $opens := ternary "false" (join " && " $parts | default "true") $nothing }}
- name: openedByRule{{ $index }}
  expression: >-
    {{ ternary $opens (printf "variables.entries.filter(e, %s)" $opens) (ne $about "entries") }}
{{- end -}}
{{- end }}

{{- define "previewbot.opened" -}}
{{- $variables := list -}}
{{- range $index, $rule := .Values.settings.repositories -}}
{{- $variables = append $variables (printf "variables.openedByRule%d" $index) -}}
{{- end -}}
{{- join " || " $variables | default "false" -}}
{{- end }}

{{/* Call with (dict "root" $ "of" "e"), where `e` is namespace/Service:port. */}}
{{- define "previewbot.openedTo" -}}
{{- $conditions := list -}}
{{- range $index, $rule := .root.Values.settings.repositories -}}
{{- $conditions = append $conditions (printf "%s in variables.openedByRule%d" $.of $index) -}}
{{- end -}}
{{- join " || " $conditions | default "false" -}}
{{- end }}

{{/* Whether something of an object is as a value says; what the API server adds by its defaults counts as left out. Call
     with (dict "of" "variables.filters[0]" "value" $value). */}}
{{- define "previewbot.verbatim" -}}
{{- $defaults := dict "group" "" "kind" "Service" "maxAge" 5 -}}
{{- if kindIs "map" .value -}}
{{- $of := .of -}}
{{- $conditions := list -}}
{{- $added := list -}}
{{- range $key, $default := $defaults -}}
{{- if not (hasKey $.value $key) -}}
{{- $added = append $added (printf "k == %s && %s[k] == %s" (toJson $key) $of (toJson $default)) -}}
{{- end -}}
{{- end -}}
{{- $conditions = append $conditions (printf "%s.all(k, k in %s || %s)" $of (keys .value | sortAlpha | toJson) (join " || " $added)) -}}
{{- range $key, $value := .value -}}
{{- $conditions = append $conditions (printf "%s in %s && %s" (toJson $key) $of (include "previewbot.verbatim" (dict "of" (printf "%s[%s]" $of (toJson $key)) "value" $value))) -}}
{{- end -}}
({{ join " && " $conditions }})
{{- else if kindIs "slice" .value -}}
{{- $of := .of -}}
{{- $conditions := list (printf "size(%s) == %d" $of (len .value)) -}}
{{- range $index, $value := .value -}}
{{- $conditions = append $conditions (include "previewbot.verbatim" (dict "of" (printf "%s[%d]" $of $index) "value" $value)) -}}
{{- end -}}
({{ join " && " $conditions }})
{{- else -}}
{{ .of }} == {{ toJson .value }}
{{- end -}}
{{- end }}
