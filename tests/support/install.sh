# Sourced by try.sh and check.sh: installs what packages.txt lists and this machine lacks. A machine
# that has everything makes no call of apt.

missing_packages() {  # USE...: names of packages for these uses that are not here
  while read -r package use command; do
    case " $* " in *" $use "*) ;; *) continue ;; esac
    [ "$command" != - ] && command -v "$command" >/dev/null 2>&1 && continue
    dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed && continue
    echo "$package"
  done <<LIST
$(grep -v '^#' tests/support/packages.txt)
LIST
}

known_packages() {  # PACKAGE...: those that this distribution has; another may have them in a second one
  for package; do
    if LC_ALL=C apt-cache policy "$package" | grep -q "Candidate: [^(]"; then
      echo "$package"
    else
      echo "no package $package here, going on without" >&2
    fi
  done
}

install_missing() {  # USE...
  if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "no dpkg here: taking for granted what tests/support/packages.txt lists" >&2
    return 0
  fi
  wanted=$(missing_packages "$@")
  [ -n "$wanted" ] || return 0
  as_root=
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || { echo "needs root or sudo to install:" $wanted >&2; return 1; }
    as_root=sudo
  fi
  echo "installing:" $wanted >&2
  # RUNLEVEL=1: a server that is installed for the tests is not to be started as a service.
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2 || return 1
  wanted=$(known_packages $wanted)
  $as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
    apt-get install -y -qq --no-install-recommends $wanted >&2
}

# Ubuntu 22.04's cmake knows no workflow presets; what a preset means is then said in full.
has_presets() {
  have=$(cmake --version | sed -n '1s/[^0-9]*\([0-9.]*\).*/\1/p')
  [ "$(printf '%s\n3.25\n' "$have" | sort -V | head -n 1)" = 3.25 ]
}

configure_and_build() {  # PRESET TARGET BUILD_TYPE CXX CC [CMAKE-ARGUMENT...]
  preset=$1 target=$2 type=$3 cxx=$4 cc=$5
  shift 5
  if has_presets; then
    cmake --preset "$preset" && cmake --build --preset "$preset" --target "$target"
  else
    cmake -S . -B "build/$preset" -G Ninja -DCMAKE_BUILD_TYPE="$type" \
      -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_C_COMPILER="$cc" "$@" &&
      cmake --build "build/$preset" --target "$target"
  fi
}
