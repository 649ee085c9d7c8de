# What all rules are written with. Lines are canonical JSON, so a member's name comes right after `{"` or `,"`; within
# a string that quotation mark would be escaped. awk compares as numbers what looks like numbers, and some write
# numbers beyond 2^31 as 2.1e+09: names and hashes are compared with "" beside them, numbers with + 0.

# The first broken rule of its kind, where it shows: `said` (records), `headed` (heads); found at the end: `account`,
# and what breaks *complete* alone, `incomplete`.
function broken(rule) {
  print rule, FILENAME ":" FNR >(out (FILENAME ~ /^heads/ ? "/headed" : "/said"))
  failed = 1
  exit
}
function at_the_end(kind, rule) { print rule, where >(out "/" kind) }

# The first string (without escapes), integer or word of this name; "" if there is none.
function get(text, name) {
  if (!match(text, "[{,]\"" name "\":(\"[^\"]*\"|-?[0-9]+|[a-z]+)")) return ""
  text = substr(text, RSTART + length(name) + 4, RLENGTH - length(name) - 4)
  gsub(/"/, "", text)
  return text
}
function of(name) { return get(body, name) }

# An integer member; "" if it is none.
function number(text, name) {
  if (!match(text, "[{,]\"" name "\":-?[0-9]+[,}]")) return ""
  return substr(text, RSTART + length(name) + 4, RLENGTH - length(name) - 5) + 0
}

# The strings of an array; how many there are.
function list(text, name, into,   k) {
  if (!match(text, "\"" name "\":[[]")) return 0
  for (text = substr(text, RSTART + RLENGTH); match(text, /^,?"([^"\\]|\\.)*"/); text = substr(text, RLENGTH + 1)) {
    into[++k] = substr(text, 1, RLENGTH - 1)
    sub(/^,?"/, "", into[k])
  }
  return k + 0
}

# 2026-05-04T09:12:24.870Z in milliseconds since some day long ago.
function ms(at,   y, m, days) {
  y = substr(at, 1, 4) + 0; m = substr(at, 6, 2) + 0
  if (m < 3) { y--; m += 12 }
  days = 365 * y + int(y / 4) - int(y / 100) + int(y / 400) + int((153 * m - 457) / 5) + substr(at, 9, 2)
  m = (days * 24 + substr(at, 12, 2)) * 60 + substr(at, 15, 2)
  return (m * 60 + substr(at, 18, 2)) * 1000 + substr(at, 21, 3)
}
