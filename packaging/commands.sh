# Which options of the Java machine a command needs; read by ./spillway and by the packed launcher.

# the incubating Vector API prints a warning at every start, so only those commands load it that compute
needs_vectors() {
  case ${1:-} in
    '' | -* | help | completion | launch | plan | cluster | profile | simulate) return 1 ;;
  esac
}

# whether the command executes a program without timing: functional.options are for it
is_functional() {
  case "${1:-} ${2:-}" in
    'simulate run' | 'simulate checkpoint' | 'simulate restore') ;;
    *) return 1 ;;
  esac
  case " $* " in *' --system'*) return 1 ;; esac
}

# the jars of the class path $1 that a functional simulation can need: it needs few libraries, and the one that
# reads the command line asks for a class that nobody has, which opens every jar
functional_jars() {
  printf '%s\n' "$1" | tr ':' '\n' | grep -E \
    -e '/spillway-(cli|platform|report|simulator|sweep)-[^/]*\.jar$' \
    -e '/(picocli|jackson|snakeyaml|progressbar|jline|xchart|slf4j|logback|jspecify)-[^/]*\.jar$' |
    paste -s -d : -
}
