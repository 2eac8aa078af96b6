#!/bin/sh
# A worker in curl and sh. It takes one job of the type disk-usage at a time: measures how much room the directory
# input.path takes, and answers in kilobytes. Any language that speaks HTTP can do the same.
set -eu

url=${PERDURE_API_URL:-http://127.0.0.1:8080}
lease=30

post() { # PATH BODY: the answer's body; fails where the platform refuses
    curl -sS --fail-with-body --max-time 90 -H "Authorization: Bearer ${PERDURE_API_KEY:-}" \
        -H 'Content-Type: application/json' -d "$2" "$url$1"
}

member() { # NAME: the text of a member of the JSON on standard input, as far as it holds no quotes
    sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"
}

while true; do
    # Waits up to 20 seconds for a job.
    if ! jobs=$(post /v1/jobs/activate "{\"type\": \"disk-usage\", \"lease\": $lease, \"wait\": 20, \"worker\": \"curl\"}"); then
        sleep 2
        continue
    fi
    id=$(printf %s "$jobs" | sed -n 's/.*"jobs":\[{"id":"\([^"]*\)".*/\1/p')
    [ -n "$id" ] || continue
    token=$(printf %s "$jobs" | member token)
    path=$(printf %s "$jobs" | member path)

    post "/v1/jobs/$id/heartbeat" "{\"lease\": \"$token\", \"progress\": \"measuring\"}" >/dev/null || continue
    if kilobytes=$(du -sk -- "$path" 2>/dev/null | cut -f 1) && [ -n "$kilobytes" ]; then
        post "/v1/jobs/$id/complete" "{\"lease\": \"$token\", \"output\": {\"kilobytes\": $kilobytes}}" >/dev/null || true
    else
        error='{"type": "https://ops.example/errors/no-such-directory", "status": 404, "detail": "there is no such directory"}'
        post "/v1/jobs/$id/fail" "{\"lease\": \"$token\", \"error\": $error}" >/dev/null || true
    fi
done
