#!/usr/bin/env bash
# Builds the Dockerfile for real, with podman, and exercises containers of it.
#
#   exit 0   every check passed
#   exit 77  not possible on this machine; the last line says why
#   else     a check failed; the last line says which
#
# Needs Linux, root, and what tests/debian-packages.txt lists for it. Leaves nothing outside CACHE: mounts
# and network are namespaces of its own, images are in a store of its own.
#
# Settings, from the environment:
#   CACHE       image store and stand-in base, kept from run to run (/var/tmp/ordinate-container-test)
#   BASE_IMAGE  what to build on (the Dockerfile's own default)
#   PULL=1      pull BASE_IMAGE; otherwise one in the store is used, or else a stand-in is made of
#               SUITE, a Debian release (trixie: Python 3.13, bookworm: 3.11), from this machine's mirror
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
SELF=tests/container/run.sh
export PATH=$PATH:/usr/sbin:/sbin
export CACHE=${CACHE:-/var/tmp/ordinate-container-test}
export BASE_IMAGE=${BASE_IMAGE:-$(sed -n 's/^ARG BASE_IMAGE=//p' Dockerfile)}
export SUITE=${SUITE:-trixie}
IMAGE=localhost/ordinate-test
URL=http://127.0.0.1:18000
ROW='{"x": [0.0381, 0.0507, 0.0617, 0.0219, -0.0442, -0.0348, -0.0434, -0.0026, 0.0199, -0.0176]}'

say() { printf '[%3ds] %s\n' "$SECONDS" "$*"; }
skip() { echo "SKIP: $*"; exit 77; }
fail() { echo "FAIL: $*" >&2; exit 1; }

# ---- stages: check -> build, in a mount namespace -> exercise, in a network namespace too ----------

check_machine() {
  local tool
  [ "$(uname -s)" = Linux ] || skip "needs Linux"
  [ "$(id -u)" = 0 ] || skip "needs root, for namespaces and overlay mounts"
  for tool in podman runc unshare flock ip iptables curl; do
    command -v "$tool" >/dev/null || skip "no '$tool': install what tests/debian-packages.txt lists"
  done
  unshare --mount --net true 2>/dev/null || skip "the kernel refuses new mount or network namespaces"
}

configure_podman() {
  local files
  files=$(ulimit -Hn)   # podman would ask for more open files than a sandbox may grant
  mkdir -p "$CACHE/run" /etc/cni/net.d /var/lib/cni
  # State that must not outlive this namespace, whose mounts end with it.
  mount -t tmpfs tmpfs "$CACHE/run"
  mount -t tmpfs tmpfs /etc/cni/net.d
  mount -t tmpfs tmpfs /var/lib/cni
  printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "%s"\n' \
    "$CACHE/store" "$CACHE/run/storage" >"$CACHE/run/storage.conf"
  printf '[containers]\ndefault_ulimits = ["nofile=%s:%s", "nproc=4096:4096"]\n' "$files" "$files" \
    >"$CACHE/run/containers.conf"
  printf '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "runc"\ntmp_dir = "%s"\n' \
    "$CACHE/run/tmp" >>"$CACHE/run/containers.conf"
  export CONTAINERS_STORAGE_CONF=$CACHE/run/storage.conf CONTAINERS_CONF=$CACHE/run/containers.conf
  export DISABLE_HC_SYSTEMD=true   # no timers: this script runs the HEALTHCHECK
}

remove_containers() {
  podman rm --all --force --time 0 >/dev/null 2>&1 || true
  # podman leaves the cgroup of its containers' parent behind; only empty ones can be removed.
  find /sys/fs/cgroup -depth -type d -path '*/libpod_parent*' -exec rmdir {} + 2>/dev/null || true
}

# shellcheck disable=SC2016  # what is in single quotes is expanded by apt-get and mmdebstrap
# A Debian with Python and only pip beside it, 'python' on the PATH: what python:X-slim is.
make_stand_in() {
  local mirror
  command -v mmdebstrap >/dev/null || skip "no image $1, and no mmdebstrap to make a stand-in"
  mirror=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    awk '$1 == "Debian" && $2 == "Debian" { print $3; exit }')
  [ -n "$mirror" ] || skip "no image $1, and no Debian mirror here to make a stand-in from"
  TMPDIR=$CACHE nice mmdebstrap --quiet --variant=minbase \
    --include=python3,python3-venv,ca-certificates,netbase,tzdata \
    --aptopt='Acquire::Check-Valid-Until "false"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook='rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED "$1"/etc/resolv.conf "$1"/etc/hostname' \
    --customize-hook='chroot "$1" sh -c "set -- /usr/share/python-wheels/pip-*.whl; python3 \$1/pip install -q --no-index --no-cache-dir --root-user-action=ignore \$1"' \
    --customize-hook='ln -sf /usr/bin/python3 "$1"/usr/local/bin/python' \
    "$SUITE" "$CACHE/base.tar" "$mirror" >"$CACHE/mmdebstrap.log" 2>&1 ||
    { tail -5 "$CACHE/mmdebstrap.log"; skip "mmdebstrap could not make Debian $SUITE on this machine"; }
  podman import --quiet --change 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change 'CMD ["python3"]' "$CACHE/base.tar" "$1" >/dev/null
  rm -f "$CACHE/base.tar"
}

find_base() {
  case $BASE_IMAGE in */*) base=$BASE_IMAGE ;; *) base=docker.io/library/$BASE_IMAGE ;; esac
  if [ "${PULL:-}" = 1 ]; then
    podman pull --quiet "$base" >/dev/null || fail "podman pull $base"
  else
    base=${base%@*}   # a stand-in has no digest of its own
    podman image exists "$base" && return
    say "no $base here: making a stand-in of Debian $SUITE"
    make_stand_in "$base"
  fi
}

# pip in the build reaches its index the way pip on this machine does: with the same certificates and
# the same index. Both are mounted for the build alone; no layer holds them.
build_image() {
  local certificates index mounts=()
  certificates=${PIP_CERT:-${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}}
  [ ! -s "$certificates" ] || mounts+=(--volume "$certificates:/etc/ssl/certs/ca-certificates.crt:ro")
  index=${PIP_INDEX_URL:-$(python3 -m pip config get global.index-url 2>/dev/null || true)}
  if [ -n "$index" ]; then
    (umask 077; printf '[global]\nindex-url = %s\n' "$index" >"$CACHE/run/pip.conf")
    mounts+=(--volume "$CACHE/run/pip.conf:/etc/pip.conf:ro")
  fi
  # The docker format, since the OCI one has no HEALTHCHECK.
  nice podman build --format docker --pull-never --network host "${mounts[@]}" \
    --build-arg BASE_IMAGE="$base" --build-arg REVISION=test --tag $IMAGE . >"$CACHE/build.log" 2>&1 ||
    { tail -30 "$CACHE/build.log" >&2; fail "podman build"; }
  podman image prune --force --filter until=168h >/dev/null   # layers of builds long past
  say "built: $(podman image inspect --format '{{.Size}}' $IMAGE | awk '{ printf "%.0f MB", $1 / 1e6 }')"
}

# ---- what is checked ---------------------------------------------------------------------------------

LOCKED_DOWN=(--read-only --read-only-tmpfs=false --tmpfs '/tmp:rw,noexec,nosuid,nodev,size=64m'
  --cap-drop ALL --security-opt no-new-privileges)

# A program in a container of its own: run_once [podman's options] -- PROGRAM ARGUMENT ...
run_once() {
  local options=()
  while [ "$1" != -- ]; do options+=("$1"); shift; done
  shift
  podman run --rm --network none "${LOCKED_DOWN[@]}" "${options[@]}" $IMAGE "$@"
}

# The service, as compose.yaml runs it but with less of everything: serve NAME [podman's options]
serve() {
  local name=$1
  shift
  podman run --detach --name "$name" --publish 127.0.0.1:18000:8000 "${LOCKED_DOWN[@]}" \
    --memory 256m --memory-swap 256m --pids-limit 128 --cpus 1 "$@" $IMAGE >/dev/null
  await 200 /healthz || { log "$name"; fail "$name: not up in 20 s"; }
}

log() { podman logs --tail 20 "$1" >&2; }

status() { curl -sS -m 5 -o /dev/null -w '%{http_code}' "$URL$1" "${@:2}" 2>/dev/null || true; }

await() {   # STATUS PATH [curl's options]
  local deadline=$((SECONDS + 20))
  until [ "$(status "${@:2}")" = "$1" ]; do
    [ $SECONDS -lt $deadline ] || return 1
    sleep 0.2
  done
}

predict() {   # BODY EXPECTED: {"y": EXPECTED} within 0.1%
  curl -sS -m 5 -H 'Content-Type: application/json' -d "$1" $URL/predict | python3 -c '
import json, sys
answer, expected = json.load(sys.stdin), float(sys.argv[1])
assert list(answer) == ["y"] and abs(answer["y"] - expected) <= 1e-3 * abs(expected), answer' "$2"
}

stop() {   # NAME: SIGTERM ends it in time, with exit code 0 and nothing dreadful in the log
  local code
  podman stop --time 15 "$1" >/dev/null
  code=$(podman inspect --format '{{.State.ExitCode}}' "$1")
  [ "$code" = 0 ] || { log "$1"; fail "$1: exit code $code after SIGTERM"; }
  [ "$(podman inspect --format '{{.State.OOMKilled}}' "$1")" = false ] || fail "$1: killed for memory"
  ! podman logs "$1" 2>&1 | grep -E 'Traceback|out of memory' || fail "$1: errors in the log"
  podman rm "$1" >/dev/null
}

check_image() {
  local user left
  user=$(podman image inspect --format '{{.Config.User}}' $IMAGE)
  [[ $user =~ ^[1-9][0-9]*(:[1-9][0-9]*)?$ ]] || fail "USER is '$user', not a number above 0"
  podman image inspect --format '{{json .Labels}}' $IMAGE | grep -q 'org.opencontainers.image.title' ||
    fail "no OCI labels"
  left=$(run_once -- python -c 'import os; print(*sorted(os.listdir()))')
  [ "$left" = "LICENSE app gunicorn.conf.py healthcheck.py sbom.json train.py wsgi.py" ] || fail "in the image: $left"
  left=$(run_once -- sh -c 'command -v cc gcc g++ make git; ls -d /root/.cache /packages 2>/dev/null; true')
  [ -z "$left" ] || fail "left in the image: $left"
  run_once -- python -m pip --no-cache-dir check >/dev/null || fail "pip check"
  run_once -- python -c 'import wsgi' 2>"$work/import.log" ||
    { cat "$work/import.log" >&2; fail "import wsgi, read-only and with no network"; }
  run_once -- python -c 'from app.compiled import library; assert library()' ||
    fail "no compiled reader of rows in the image"
  run_once -- python -c 'import importlib.metadata as m, json
for each in json.load(open("sbom.json"))["components"]:
    assert each["type"] == "platform" or m.version(each["name"]) == each["version"], each' ||
    fail "the bill of materials is not of what is installed"
  say "image: user $user, labelled, nothing left behind, 'pip check' passes"
}

check_rights() {
  podman exec -i "$1" python - <<'PY' || fail "$1: its rights are not what they should be"
import os
import tempfile

with open("/proc/1/status") as lines:
    status = dict(line.rstrip("\n").split(":\t", 1) for line in lines if ":\t" in line)
assert status["Uid"].split()[0] != "0" != status["Gid"].split()[0], (status["Uid"], status["Gid"])
assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0, status["CapBnd"]
assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2"), status["Seccomp"]
for folder in ("/", os.getcwd(), "/models", "/var/tmp", "/usr/local"):
    try:
        tempfile.TemporaryFile(dir=folder)
    except OSError:
        continue
    raise SystemExit(f"{folder} is writable")
tempfile.TemporaryFile(dir="/tmp")
PY
}

check_health() {   # NAME: the check must notice workers that hang, though the kernel still accepts
  podman healthcheck run "$1" >/dev/null || fail "$1: HEALTHCHECK fails on a healthy container"
  podman exec "$1" python -c 'import os, signal; os.kill(-1, signal.SIGSTOP)'   # all but PID 1
  ! podman healthcheck run "$1" >/dev/null || fail "$1: HEALTHCHECK passes while the workers hang"
  podman exec "$1" python -c 'import os, signal; os.kill(-1, signal.SIGCONT)'
  podman healthcheck run "$1" >/dev/null || fail "$1: HEALTHCHECK does not recover"
}

check_baked_in_model() {
  local started
  started=$(date +%s%N)
  serve baked-in
  say "baked-in: ready after $((($(date +%s%N) - started) / 1000000)) ms"
  predict "$ROW" 206.1 || fail "the baked-in model does not answer as it should"
  check_rights baked-in
  check_health baked-in
  say "baked-in: answers, unprivileged, read-only, its HEALTHCHECK notices hanging workers"
  say "baked-in: $(podman stats --no-stream --format '{{.MemUsage}}' baked-in)"
  stop baked-in
  serve any-user --user 54321:54321
  predict "$ROW" 206.1 || fail "does not serve as an arbitrary user"
  stop any-user
  say "baked-in: serves as any user; SIGTERM ends it with 0"
}

check_broken_models() {
  local file
  mkdir "$work/broken"
  run_once --user 0 --cap-add DAC_OVERRIDE --volume "$work/broken:/out" -- cp -R /models/. /out
  for file in "$work"/broken/*/*/model.joblib; do printf x >>"$file"; done
  serve broken --volume "$work/broken:/models:ro"
  [ "$(status /readyz)" = 503 ] || fail "/readyz is $(status /readyz) with nothing but a broken model"
  [ "$(status /predict -H 'Content-Type: application/json' -d "$ROW")" = 503 ] ||
    fail "/predict is not 503 with nothing but a broken model"
  stop broken
  say "broken model mounted: up, and 503 for predictions"
}

# An empty folder is mounted; then another container, of a user who owns that folder, publishes into it.
check_retraining() {
  local code
  mkdir "$work/models" "$work/data"
  chown 4242:4242 "$work/models"
  awk 'BEGIN { print "a,b,y"; for (i = 0; i < 60; i++) { a = i % 7; b = (i * 3) % 11; print a "," b "," 2 * a - 3 * b + 50 } }' \
    >"$work/data/plane.csv"
  serve mounted --volume "$work/models:/models:ro"
  [ "$(status /readyz)" = 503 ] || fail "/readyz is $(status /readyz) over an empty folder"
  code=0
  run_once --volume "$work/models:/models" -- python train.py >"$work/train.log" 2>&1 || code=$?
  [ "$code $(wc -l <"$work/train.log")" = "2 1" ] ||
    { cat "$work/train.log" >&2; fail "no plain refusal of a folder that is not writable"; }
  run_once --user 4242:4242 --volume "$work/models:/models" --volume "$work/data:/data:ro" -- \
    python train.py --data /data/plane.csv --target y --name plane >"$work/train.log" 2>&1 ||
    { cat "$work/train.log" >&2; fail "train.py in a container"; }
  await 200 /readyz || { log mounted; fail "the published model is not served"; }
  predict '{"x": {"a": 10, "b": 1}}' 67 || fail "the model trained in a container answers wrongly"
  stop mounted
  say "folder mounted: 503 while empty, then serves what train.py published in another container"
}

# Certificates are made by one container and served by another, whose HEALTHCHECK must know.
check_tls() {
  mkdir -m 777 "$work/certs"
  run_once --volume "$work/certs:/certs" -- flask --app wsgi certs new /certs/own >/dev/null ||
    fail "no certificates for development from the image"
  (
    export CURL_CA_BUNDLE=$work/certs/own/ca.pem URL=https://127.0.0.1:18000
    serve tls --volume "$work/certs:/certs:ro" --env ORDINATE_TLS_CERT=/certs/own/server.pem \
      --env ORDINATE_TLS_KEY=/certs/own/server-key.pem
    predict "$ROW" 206.1 || fail "no answer by TLS"
    podman healthcheck run tls >/dev/null || fail "tls: HEALTHCHECK fails on a healthy container"
    stop tls
  )
  say "tls: answers, and its HEALTHCHECK knows"
}

exercise() {
  ip link set lo up
  work=$(mktemp -d "$CACHE/run/work.XXXXXX")
  chmod 755 "$work"
  check_image
  check_baked_in_model
  check_broken_models
  check_retraining
  check_tls
}

case ${1:-check} in
  check)
    check_machine
    mkdir -p "$CACHE"
    exec unshare --mount --propagation private bash "$SELF" build
    ;;
  build)
    exec 9>"$CACHE/lock"
    flock -w 900 9 || skip "another run holds $CACHE/lock"
    configure_podman
    trap remove_containers EXIT
    find_base
    build_image
    unshare --net bash "$SELF" exercise
    say "PASS"
    ;;
  exercise) exercise ;;
esac
