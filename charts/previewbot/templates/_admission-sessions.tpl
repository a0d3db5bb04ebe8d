{{/* What a session may have of its own, field by field: previewbot/engine/session_spec.py makes it. Each of the validations
     about a field holds where the field is left out. */}}

{{/* A text as JSON writes it, without what would end it: so nothing in it can begin another field. RE2, in a raw string. */}}
{{- define "previewbot.jsonText" -}}
"([^"\\\x00-\x1f]|\\["\\bfnrt]|\\u00[01][0-9a-f])*"
{{- end }}

{{/* The filters of a key: variables that expect `key`, `incoming` and `takes`. All fields are written out in mirrord's order. */}}
{{- define "previewbot.filterVariables" -}}
{{- $none := `"path_filter":null,"method_filter":null,"body_filter":null,"header_filter_jq":null,` -}}
- name: httpFilter
  expression: "'httpFilter' in variables.incoming && type(variables.incoming.httpFilter) == string ? variables.incoming.httpFilter : ''"
- name: ofBaggage
  expression: >-
    '^baggage: .*mirrord-session=' + variables.key + '.*$'
# Byte for byte what mirrord's CLI writes for a key.
- name: filter
  expression: >-
    '{"header_filter":"' + variables.ofBaggage + '",{{ $none }}"all_of":null,"any_of":null,"ports":null}'
- name: ofEither
  expression: >-
    '{"header_filter":null,{{ $none }}"all_of":null,"any_of":[{"header":"' + variables.ofBaggage
    + '"},{"header":"^tracestate: .*mirrord-session=' + variables.key + '.*$"}],"ports":null}'
# What is between these two can only narrow what the key's own lets through: it is a list of conditions, and no more.
- name: narrowsFrom
  expression: >-
    '{"header_filter":null,{{ $none }}"all_of":[{"header":"' + variables.ofBaggage + '"},'
- name: narrowsTo
  expression: >-
    '],"any_of":null,"ports":null}'
- name: narrows
  expression: >-
    variables.httpFilter.startsWith(variables.narrowsFrom) && variables.httpFilter.endsWith(variables.narrowsTo)
    && size(variables.httpFilter) > size(variables.narrowsFrom) + size(variables.narrowsTo)
- name: conditions
  expression: >-
    variables.narrows
    ? variables.httpFilter.substring(size(variables.narrowsFrom), size(variables.httpFilter) - size(variables.narrowsTo)) : ''
{{- end }}

{{/* Whether a session takes the requests of its key only, and at which ports. */}}
{{- define "previewbot.incoming" -}}
{{- $text := include "previewbot.jsonText" . -}}
{{- $either := printf `\{"(header|path|method|query)":%s\}` $text -}}
{{- $body := printf `\{"body":"json","query":%s,"matches":%s\}` $text $text -}}
- expression: variables.takes || !has(object.spec.incoming)
  message: spec.incoming is either left out or says whose requests the session takes
# Without `incoming` nobody's requests are taken: a worker has none. With it, mirroring would give it everybody's.
- expression: "!variables.takes || has(variables.incoming.steal) && variables.incoming.steal == true"
  message: the session does not steal requests (spec.incoming.steal)
# Without a filter it would take everybody's requests, with another key's those of somebody else's preview.
- expression: >-
    !variables.takes || variables.httpFilter == variables.filter || variables.httpFilter == variables.ofEither || variables.narrows
  messageExpression: "'the session does not filter requests by exactly its key ' + variables.key"
- expression: >-
    !variables.narrows || (variables.conditions + ',').matches(r'^(({{ $either }}|{{ $body }}),)+$')
  message: the filter has behind its key something else than a list of conditions on requests
{{ include "previewbot.only" (dict "of" "variables.incoming" "as" "spec.incoming." "what" "session" "keys" (list "steal" "httpFilter" "ports" "ignorePorts")) }}
{{- range list "ports" "ignorePorts" }}
- expression: >-
    !has(variables.incoming.{{ . }}) || type(variables.incoming.{{ . }}) == list && size(variables.incoming.{{ . }}) > 0
    && variables.incoming.{{ . }}.all(p, p >= 1 && p <= 65535)
  message: spec.incoming.{{ . }} is no list of ports
{{- end }}
- expression: "!has(variables.incoming.ports) || !has(variables.incoming.ignorePorts)"
  message: spec.incoming has ports and ignorePorts, of which the operator takes one
{{- end }}

{{/* Whether settings.repositories lets anybody whose target and image are those of the session put secrets into it: files that
     only its operator sees. Without rules nobody may. */}}
{{- define "previewbot.openedToSecrets" -}}
{{- $conditions := list -}}
{{- range $index, $rule := .Values.settings.repositories -}}
{{- if $rule.secrets -}}
{{- $conditions = append $conditions (printf "variables.openedByRule%d" $index) -}}
{{- end -}}
{{- end -}}
{{- join " || " $conditions | default "false" -}}
{{- end }}

{{/* Variables about the fields that a session may leave out. */}}
{{- define "previewbot.partsVariables" -}}
{{- $queues := list "sqs" "rmq" "gcpPubsub" "azureServiceBus" "redisPubsub" "temporal" "bullmq" -}}
- name: environment
  expression: "has(object.spec.env) && dyn(object.spec.env) != null ? dyn(object.spec.env) : dyn({})"
- name: podLabels
  expression: "has(object.spec.labels) && dyn(object.spec.labels) != null ? dyn(object.spec.labels) : dyn({})"
- name: configMounts
  expression: "has(object.spec.configMounts) && dyn(object.spec.configMounts) != null ? dyn(object.spec.configMounts) : dyn([])"
- name: secretMounts
  expression: "has(object.spec.secretMounts) && dyn(object.spec.secretMounts) != null ? dyn(object.spec.secretMounts) : dyn([])"
- name: idle
  expression: "has(object.spec.idle) && dyn(object.spec.idle) != null ? dyn(object.spec.idle) : dyn({'startIdle': true})"
- name: branches
  expression: "has(object.spec.dbBranching) && dyn(object.spec.dbBranching) != null ? dyn(object.spec.dbBranching) : dyn({})"
- name: splitting
  expression: "has(object.spec.queueSplitting) && dyn(object.spec.queueSplitting) != null ? dyn(object.spec.queueSplitting) : dyn({})"
# By id, the queues of each broker but Kafka, whose two fields have another form.
- name: queues
  expression: >-
    {{ $queues | toJson }}.map(b, b + "QueueFilters").filter(f, f in variables.splitting).map(f, variables.splitting[f])
- name: topics
  expression: "'kafkaQueueFilters' in variables.splitting ? dyn(variables.splitting.kafkaQueueFilters) : dyn({})"
- name: topicsByJq
  expression: "'kafkaQueueJqFilters' in variables.splitting ? dyn(variables.splitting.kafkaQueueJqFilters) : dyn({})"
{{- end }}

{{/* The fields that a session may leave out, but for whose requests it takes. Call with the root. */}}
{{- define "previewbot.parts" -}}
{{- $most := dig "limits" "replicas" 3 .Values.settings | int -}}
- expression: dyn(object.spec).all(k, dyn(object.spec)[k] != null)
  messageExpression: "'a field of the session says nothing: spec.' + dyn(object.spec).filter(k, dyn(object.spec)[k] == null).join(', spec.')"
- expression: "!has(object.spec.replicas) || dyn(object.spec.replicas) >= 1 && dyn(object.spec.replicas) <= {{ $most }}"
  messageExpression: "'a session has 1 to {{ $most }} replicas (settings.limits.replicas), and not ' + string(object.spec.replicas)"
{{ include "previewbot.only" (dict "of" "variables.environment" "as" "spec.env." "what" "session" "keys" (list "include" "exclude" "overrides")) }}
- expression: >-
    ['include', 'exclude'].all(f, !(f in variables.environment)
    || type(variables.environment[f]) == list && variables.environment[f].all(g, type(g) == string && size(g) > 0))
  message: spec.env.include and spec.env.exclude are lists of names
- expression: >-
    !('overrides' in variables.environment) || variables.environment.overrides.all(k, size(k) > 0 && !k.contains('=')
    && type(variables.environment.overrides[k]) == string)
  message: spec.env.overrides has a variable without a name, or whose value is no text
{{ include "previewbot.only" (dict "of" "variables.podLabels" "as" "spec.labels." "what" "session" "keys" (list "include" "exclude")) }}
- expression: >-
    size(variables.podLabels) <= 1 && variables.podLabels.all(f, type(variables.podLabels[f]) == list
    && variables.podLabels[f].all(g, type(g) == string && size(g) > 0))
  message: spec.labels has one of include and exclude, a list of names
{{ include "previewbot.onlyEach" (dict "of" "variables.configMounts" "as" "spec.configMounts." "what" "session" "keys" (list "path" "type" "data")) }}
- expression: "['configMounts', 'secretMounts'].all(f, !(f in dyn(object.spec)) || type(dyn(object.spec)[f]) == list && size(dyn(object.spec)[f]) > 0)"
  message: spec.configMounts and spec.secretMounts have a file each, where they are there at all
- expression: >-
    variables.configMounts.all(m, ['path', 'type', 'data'].all(k, k in m && type(m[k]) == string) && size(m.path) > 0
    && m.type in ['text', 'binary'])
  message: each of spec.configMounts has a path, a type (text or binary) and data
{{ include "previewbot.onlyEach" (dict "of" "variables.secretMounts" "as" "spec.secretMounts." "what" "session" "keys" (list "path" "secretKey")) }}
# What is in them goes to the operator alone: the session names it by k0, k1 and so on.
- expression: >-
    variables.secretMounts.all(m, 'path' in m && type(m.path) == string && size(m.path) > 0
    && 'secretKey' in m && string(m.secretKey).matches('^k(0|[1-9][0-9]{0,3})$')
    && int(string(m.secretKey).substring(1)) < size(variables.secretMounts)
    && variables.secretMounts.exists_one(o, o.secretKey == m.secretKey))
  message: each of spec.secretMounts has a path, and its own key of k0, k1 and so on
- expression: size(variables.secretMounts) == 0 || {{ include "previewbot.openedToSecrets" . }}
  messageExpression: "'no rule of settings.repositories that opens ' + variables.workload + ' has secrets: true (spec.secretMounts)'"
{{ include "previewbot.only" (dict "of" "variables.idle" "as" "spec.idle." "what" "session" "keys" (list "startIdle" "sleepAfterSecs" "wakeTimeoutSecs")) }}
- expression: >-
    'startIdle' in variables.idle && type(variables.idle.startIdle) == bool
    && (variables.idle.startIdle || 'sleepAfterSecs' in variables.idle)
    && (!('sleepAfterSecs' in variables.idle) || type(variables.idle.sleepAfterSecs) == int && variables.idle.sleepAfterSecs >= 30)
    && (!('wakeTimeoutSecs' in variables.idle) || type(variables.idle.wakeTimeoutSecs) == int && variables.idle.wakeTimeoutSecs >= 1)
  message: spec.idle says when a session sleeps (startIdle, or sleepAfterSecs of 30 or more), and no wakeTimeoutSecs of 0
- expression: "!has(object.spec.idle) || variables.takes || size(variables.splitting) > 0"
  message: nothing would wake the session, which takes neither requests nor messages (spec.idle)
{{ include "previewbot.only" (dict "of" "variables.branches" "as" "spec.dbBranching." "what" "session" "keys" (include "previewbot.carriedBranches" . | fromJsonArray)) }}
- expression: >-
    variables.branches.all(f, type(variables.branches[f]) == list && size(variables.branches[f]) > 0
    && variables.branches[f].all(n, type(n) == string && n.startsWith('mirrord-' + f.replace('BranchNames', '') + '-branch-')
    && n.matches('-branch-[0-9a-f]{16}$')))
  messageExpression: "'spec.dbBranching names what is no branch of a database: ' + variables.branches.map(f, variables.branches[f].join(', ')).join(', ')"
{{ include "previewbot.queues" . }}
{{- end }}

{{/* The fields of a session that name branches of databases, as JSON: of `generic` there is none (engine/branches.py). */}}
{{- define "previewbot.carriedBranches" -}}
{{- $fields := list -}}
{{- range list "pg" "mysql" "mariadb" "mongodb" "mssql" "redis" "dynamodb" "spanner" "clickhouse" "cockroachdb" -}}
{{- $fields = append $fields (printf "%sBranchNames" .) -}}
{{- end -}}
{{- toJson $fields -}}
{{- end }}

{{/* Which messages of queues a session takes: never those of a queue without a filter in which its key stands. */}}
{{- define "previewbot.queues" -}}
{{- $fields := list "sqsQueueFilters" "rmqQueueFilters" "gcpPubsubQueueFilters" "azureServiceBusQueueFilters" "redisPubsubQueueFilters" "temporalQueueFilters" "bullmqQueueFilters" "kafkaQueueFilters" "kafkaQueueJqFilters" -}}
{{ include "previewbot.only" (dict "of" "variables.splitting" "as" "spec.queueSplitting." "what" "session" "keys" (append $fields "queueModes")) }}
- expression: "!has(object.spec.queueSplitting) || size(variables.queues) > 0 || size(variables.topics) > 0 || size(variables.topicsByJq) > 0"
  message: spec.queueSplitting splits no queue
- expression: >-
    variables.splitting.all(f, type(variables.splitting[f]) == map && size(variables.splitting[f]) > 0
    && variables.splitting[f].all(id, size(id) > 0))
  message: a field of spec.queueSplitting is empty, or has a queue without an id
- expression: >-
    variables.queues.all(q, q.all(id, type(q[id]) == map && q[id].all(k, k in ['messageFilter', 'jqFilter'])
    && (!('messageFilter' in q[id]) || type(q[id].messageFilter) == map && size(q[id].messageFilter) > 0
    && q[id].messageFilter.all(a, type(q[id].messageFilter[a]) == string))
    && (!('jqFilter' in q[id]) || type(q[id].jqFilter) == string)))
    && variables.topics.all(id, type(variables.topics[id]) == map && size(variables.topics[id]) > 0
    && variables.topics[id].all(a, type(variables.topics[id][a]) == string))
    && variables.topicsByJq.all(id, type(variables.topicsByJq[id]) == string)
  message: a queue of the session is filtered by patterns of attributes, by jq, or by both, and by nothing else
# Without a filter it would take everybody's messages, with one that does not have the key those of other previews.
- expression: >-
    variables.queues.all(q, q.all(id,
    'messageFilter' in q[id] && q[id].messageFilter.exists(a, q[id].messageFilter[a].contains(variables.key))
    || 'jqFilter' in q[id] && q[id].jqFilter.contains(variables.key)))
    && variables.topics.all(id, variables.topics[id].exists(a, variables.topics[id][a].contains(variables.key))
    || id in variables.topicsByJq && variables.topicsByJq[id].contains(variables.key))
    && variables.topicsByJq.all(id, id in variables.topics || variables.topicsByJq[id].contains(variables.key))
  messageExpression: "'a queue of the session is not filtered by its key ' + variables.key"
- expression: >-
    !('queueModes' in variables.splitting) || variables.splitting.queueModes.all(id, variables.splitting.queueModes[id] == 'mirror'
    && (id in variables.topics || id in variables.topicsByJq || variables.queues.exists(q, id in q)))
  message: spec.queueSplitting.queueModes says `mirror` of a queue that is split, and nothing else
{{- end }}
