#!/usr/bin/env bash
# Installs libchi alone, compiles the programs of runtime/README.md and
# docs/runtime.md against the installed tree by pkg-config and by CMake, as C
# and as C++, runs them, and does some of it again after the tree has moved.
#   embed_test.sh SOURCE-ROOT CHI
set -euo pipefail
root=$1
chi=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc=${CC:-cc}
cxx=${CXX:-c++}
say() { echo "embed: $*"; }

say "install"
cmake -S "$root/runtime" -B "$work/build" -DCMAKE_INSTALL_LIBDIR=lib \
  -DCMAKE_INSTALL_PREFIX="$work/first" >"$work/log" 2>&1 &&
  cmake --build "$work/build" -j 2 >>"$work/log" 2>&1 &&
  cmake --install "$work/build" >>"$work/log" 2>&1 ||
  { tail -n 40 "$work/log" >&2; exit 1; }
# Everything below must do without the place it was installed to.
prefix=$work/moved
mv "$work/first" "$prefix"
rm -rf "$work/build"
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
export LD_LIBRARY_PATH=$prefix/lib

say "programs of the documents"
mkdir "$work/src"
cd "$work/src"
for doc in "$root/runtime/README.md" "$root/docs/runtime.md"; do
  awk '/^```c [a-z]+\.c$/ { name = $2; next } /^```/ { name = "" }
       name { print >name }' "$doc"
done
awk '/^```chi$/ { on = 1; next } /^```/ { on = 0 } on' \
  "$root/runtime/README.md" >spread.chi
ls host.c node.c client.c direct.c >/dev/null
"$chi" build spread.chi spread -o . >/dev/null
# The header in the README is the emitted one.
grep -v '^ *$' spread.h | sed -n '/^enum {/,/^extern CHI/p' >emitted
sed -n 's/^    \(.*\)/\1/p' "$root/runtime/README.md" |
  sed -n '/^enum {/,/^extern CHI/p' >shown
diff emitted shown

strict='-Wall -Wextra -Wpedantic -Werror'
check() { # command... -> its output must hold the expected words
  local want=$1
  shift
  "$@" >out 2>&1 || { cat out >&2; exit 1; }
  grep -q -- "$want" out || { echo "no '$want' in:" >&2; cat out >&2; exit 1; }
}
run_nodes() { # program
  local seed key port args=() i
  for i in 0 1 2; do
    seed[i]=$(printf '%064x' $((1000 + i)))
  done
  "$work/src/keys" "${seed[@]}" >keys.txt
  mapfile -t key <keys.txt
  mapfile -t port < <(python3 - <<'PY'
import socket
s = [socket.socket() for _ in range(3)]
for x in s:
    x.bind(("127.0.0.1", 0))
    print(x.getsockname()[1])
PY
)
  for i in 0 1 2; do args+=("${key[i]}" "${port[i]}"); done
  local id
  id=$(printf '%064x' 4711)
  for i in 0 1 2; do
    echo "${seed[i]}" | "$1" "$i" "$id" "${args[@]}" >"node$i.out" 2>&1 &
  done
  wait
  for i in 0 1 2; do check '^166650 in 2 rounds' cat "node$i.out"; done
}
cat >keys.c <<'C'
#include <stdio.h>
#include "chi.h"
int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    uint8_t seed[32], key[32];
    char text[65];
    chi_identity *id;
    if (chi_unhex(seed, 32, argv[i]) || chi_identity_from_seed(&id, seed))
      return 1;
    chi_identity_public(id, key);
    chi_hex(text, key, 32);
    puts(text);
    chi_identity_free(id);
  }
  return 0;
}
C

cflags=$(pkg-config --cflags libchi)
libs=$(pkg-config --libs libchi)
archive=$(pkg-config --static --libs libchi | sed "s#-lchi#$prefix/lib/libchi.a#")
# shellcheck disable=SC2086
{
  $cc -std=c99 $strict -O1 -c $cflags spread.c -o spread.o
  $cc -std=c99 $strict $cflags keys.c $libs -o keys
  for std in c99 c11 c++11 c++17; do
    compiler=$cc language=c
    case $std in c++*) compiler=$cxx language=c++ ;; esac
    say "pkg-config, $std"
    for p in host node client direct; do
      $compiler -std=$std -D_POSIX_C_SOURCE=200809L $strict $cflags \
        -x $language $p.c -x none spread.o $libs -lpthread -o $p
    done
    check '^node 2: 166650' ./host
    check '^6 \* 7 = 42' ./direct
    check '^OK: blobs of' ./client
  done
  run_nodes ./node
  say "pkg-config, static"
  $cc -std=c11 $strict $cflags host.c spread.o $archive -o host_static
  LD_LIBRARY_PATH='' check '^node 0: 166650' ./host_static
}

say "CMake"
mkdir "$work/cmake"
cat >"$work/cmake/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.22)
project(embedder LANGUAGES C CXX)
find_package(chi 0.1 REQUIRED)
find_package(Threads REQUIRED)
add_library(spread STATIC ../src/spread.c)
target_link_libraries(spread PUBLIC chi::chi)
add_executable(host_c ../src/host.c)
target_link_libraries(host_c PRIVATE spread Threads::Threads)
configure_file(../src/host.c host.cpp COPYONLY)
add_executable(host_cxx ${CMAKE_CURRENT_BINARY_DIR}/host.cpp)
target_include_directories(host_cxx PRIVATE ../src)
target_link_libraries(host_cxx PRIVATE spread Threads::Threads)
add_executable(client_static ../src/client.c)
target_link_libraries(client_static PRIVATE chi::chi_static)
CMAKE
cmake -S "$work/cmake" -B "$work/cmake/build" -DCMAKE_PREFIX_PATH="$prefix" \
  >"$work/log" 2>&1 && cmake --build "$work/cmake/build" >>"$work/log" 2>&1 ||
  { tail -n 40 "$work/log" >&2; exit 1; }
check '^node 1: 166650' "$work/cmake/build/host_c"
check '^node 1: 166650' "$work/cmake/build/host_cxx"
LD_LIBRARY_PATH='' check '^OK: blobs of' "$work/cmake/build/client_static"
say "all programs ran"
