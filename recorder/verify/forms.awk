# The form of every body (FORM-3), as patterns. Lengths of names, upper limits of single numbers, the order of names
# in a map, and dates that no calendar has are not checked.
BEGIN {
  INSTANT = "[0-9][0-9][0-9][0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T"
  INSTANT = INSTANT "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9][.][0-9][0-9][0-9]Z"
  kinds(); forms()
}

function list_of(one)      { return "[[](" one "(," one ")*)?[]]" }
function map_of(name, one) { one = name ":" one; return "[{](" one "(," one ")*)?[}]" }
function or_null(one)      { return "(" one "|null)" }
# "name kind" pairs in canonical order; `name?` may be left out; what is no kind is the strings it may be.
function object_of(text,   f, n, i, one, may, all, begun) {
  n = split(text, f, " ")
  for (i = 1; i < n; i += 2) {
    may = sub(/[?]$/, "", f[i])
    one = "\"" f[i] "\":" (f[i + 1] in kind ? kind[f[i + 1]] : "\"(" f[i + 1] ")\"")
    if (may) all = all (begun ? "(," one ")?" : "(" one ",)?")
    else { all = all (begun ? "," : "") one; begun = 1 }
  }
  return "[{]" all "[}]"
}
function body_of(type, members) { form[type] = object_of(members) }

function kinds(   hex, k) {
  hex = "[0-9a-f]"
  for (k = 0; k < 6; k++) hex = hex hex # 64 digits
  kind["hex"] = "\"" hex "\""
  kind["boolean"] = "(true|false)"
  kind["count"] = "(0|[1-9][0-9]*)"
  kind["positive"] = "[1-9][0-9]*"
  kind["integer"] = "(0|-?[1-9][0-9]*)"
  kind["text"] = "\"([^\"\\\\]|\\\\[\"\\\\bfnrt]|\\\\u00(0[0-7bef]|1[0-9a-f]))*\""
  kind["word"] = "\"[a-z][a-z0-9_.]*\""
  kind["seat"] = "\"[a-z][a-z0-9-]*\""
  kind["stream"] = "\"[a-z][a-z0-9-]*([.]screen)?\""
  kind["origin"] = "\"([!#-[]|[]-~]|\\\\[\"\\\\])+\""
  kind["instant"] = "\"" INSTANT "\""
  kind["hex/null"] = or_null(kind["hex"])
  kind["count/null"] = or_null(kind["count"])
  kind["integer/null"] = or_null(kind["integer"])
  kind["instant/null"] = or_null(kind["instant"])
  kind["seats"] = list_of(kind["seat"])
  kind["texts"] = list_of(kind["text"])
  kind["people"] = map_of(kind["seat"], kind["text"])
  kind["keys"] = list_of(object_of("alg ed25519|sm2 key hex"))
  kind["digest"] = object_of("bytes count name text sha256 hex sm3 hex")
  kind["codec"] = "\"(opus|VP8|VP9|H264)\""
  kind["source"] = "\"(microphone|camera|screen)\""
  kind["tracks"] = list_of(object_of("aligned boolean at_ms integer channels? positive clock_rate positive " \
    "codec codec height? positive kind audio|video number positive rtp_timestamp count source source ssrc count " \
    "width? positive"))
  kind["counts"] = list_of(object_of("expected count frames count keyframes count lost count number positive " \
    "received count recovered count"))
  kind["detail"] = map_of(kind["word"], "(" kind["text"] "|" kind["integer"] "|true|false|null)")
  kind["legs"] = map_of(kind["seat"], object_of("claimed? detail measured detail"))
  kind["beats"] = map_of(kind["stream"], object_of("bytes count sealed_to_ms count segments count"))
  kind["objects"] = list_of(object_of("name text retain_until instant/null version text"))
  kind["coverage"] = object_of("network count off count present count recorder count withdrawn count worker count")
  kind["accounts"] = map_of(kind["stream"], object_of("bytes count coverage coverage first_ms count last hex/null " \
    "last_ms count parts count segments count"))
}

function forms() {
  body_of("open", "epoch text format teleconsult-recording/[12] keys keys origin origin recorder text seats people " \
    "witnesses? texts")
  body_of("consent", "decision agreed|refused language text method tap|spoken|paper seat seat text_sha256 hex " \
    "text_version text")
  body_of("withdraw", "seat seat")
  body_of("join", "client? text seat seat")
  body_of("leave", "reason? text seat seat")
  body_of("start", "from_ms count seats seats zero_mono_us integer")
  body_of("key", "key hex stream stream suite aes256gcm|sm4gcm under texts")
  body_of("part", "container webm|matroska from_ms count init digest part positive stream stream tracks tracks " \
    "why start|codec|ssrc|timestamps|pause|tracks|recovered")
  body_of("segment", "bytes count enc none|aes256gcm|sm4gcm forced boolean from_ms count keyframe boolean n positive " \
    "name text part positive sha256 hex sm3 hex stream stream to_ms count tracks counts")
  body_of("sync", "at_ms integer number positive part positive rtp_timestamp count skew_us integer stream stream")
  body_of("gap", "cause network|recorder|worker|off|withdrawn from_ms count packets count/null stream stream " \
    "to_ms count")
  body_of("event", "detail? detail event word seat? seat state? text")
  body_of("heartbeat", "streams beats")
  body_of("recovered", "epoch text reason text zero_mono_us integer/null")
  body_of("degraded", "code word over boolean")
  body_of("stamp", "at instant authority text n positive object digest records positive")
  body_of("anchor", "hash hex reference text seq count service text")
  body_of("certificate", "legs legs")
  body_of("stored", "objects objects")
  body_of("access", "purpose text role text scope? text who text")
  body_of("export", "purpose text role text scope? text who text")
  body_of("close", "end_ms count/null reason text records count streams accounts")
}

function well_formed(type, text,   rest) {
  if (!(type in form) || text !~ "^" form[type] "$") return 0
  gsub(/\\u..../, "x", text); gsub(/\\./, "x", text); gsub(/[\200-\277]/, "", text) # a character is one byte now
  for (rest = text; match(rest, /"[^"]*"/); rest = substr(rest, RSTART + RLENGTH)) if (RLENGTH > 1026) return 0
  gsub(/"[^"]*"/, "", text)
  while (match(text, /[0-9]+/)) { # no number beyond 2^53 - 1
    if (substr(text, RSTART, RLENGTH) + 0 > 9007199254740991) return 0
    text = substr(text, RSTART + RLENGTH)
  }
  return 1
}
