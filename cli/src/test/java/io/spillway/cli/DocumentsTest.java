package io.spillway.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import picocli.CommandLine;

/// What the documents tell people to type exists: each command line in them is parsed by the
/// command that it names, and the manifests of docs/operations are read by a parser.
class DocumentsTest {
  private static final Path ROOT = Path.of(System.getProperty("spillway.root", ".."));
  private static final Pattern IN_TICKS = Pattern.compile("`(\\./spillway [^`]+)`");

  /// Commands of the shell launcher, which has no picocli.
  private static final Set<String> OF_LAUNCHER = Set.of("test", "package");

  private record Typed(String where, List<String> words) {}

  @Test
  void everyCommandLineInTheDocumentsIsUnderstood() throws IOException {
    List<Typed> all = new ArrayList<>();
    List<Path> documents = new ArrayList<>(List.of(ROOT.resolve("README.md")));
    try (Stream<Path> files = Files.walk(ROOT.resolve("docs"))) {
      files.filter(f -> f.toString().endsWith(".md")).forEach(documents::add);
    }
    for (Path document : documents) {
      all.addAll(typed(document));
    }
    List<String> refused = new ArrayList<>();
    for (Typed line : all) {
      refusal(line.words()).ifPresent(why -> refused.add(line.where() + ": " + why));
    }
    assertThat(refused).isEmpty();
    assertThat(all).hasSizeGreaterThan(30);
  }

  /// Links lead to files, and so do paths in code such as `bench/fuzz` and `cli/.../Main.java`.
  @Test
  void everyFileThatTheDocumentsNameIsThere() throws IOException {
    Pattern link = Pattern.compile("\\]\\(([^)#:\\s]+)(?:#[^)]*)?\\)");
    Pattern path = Pattern.compile("`((?:docs|bench|packaging)/[\\w./-]+)");
    Pattern source = Pattern.compile("`([a-z-]+)/\\.\\.\\./((?:[a-z]+/)*\\w+\\.java)`");
    List<Path> documents = new ArrayList<>();
    for (String name : List.of("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")) {
      documents.add(ROOT.resolve(name));
    }
    try (Stream<Path> files = Files.walk(ROOT.resolve("docs"))) {
      files.filter(f -> f.toString().endsWith(".md")).forEach(documents::add);
    }
    List<String> missing = new ArrayList<>();
    int named = 0;
    for (Path document : documents) {
      String text = Files.readString(document);
      for (Matcher m = link.matcher(text); m.find(); named++) {
        if (!Files.exists(document.resolveSibling(m.group(1)))) {
          missing.add(document + " links " + m.group(1));
        }
      }
      for (Matcher m = path.matcher(text); m.find(); named++) {
        if (!Files.exists(ROOT.resolve(m.group(1)))) {
          missing.add(document + " names " + m.group(1));
        }
      }
      for (Matcher m = source.matcher(text); m.find(); named++) {
        Path main = ROOT.resolve(m.group(1)).resolve("src");
        try (Stream<Path> files = Files.walk(main)) {
          if (files.noneMatch(f -> f.endsWith(m.group(2)))) {
            missing.add(document + " names " + m.group());
          }
        }
      }
    }
    assertThat(missing).isEmpty();
    assertThat(named).isGreaterThan(100);
  }

  /// Every test that the threat page names is there.
  @Test
  void theTestsOfTheThreatPageExist() throws IOException {
    String page = Files.readString(ROOT.resolve("docs/threats.md"));
    List<String> missing = new ArrayList<>();
    int named = 0;
    Map<String, String> sources = new java.util.HashMap<>();
    for (var m = Pattern.compile("`([A-Z]\\w+(?:Test|IT))#(\\w+)`").matcher(page); m.find(); ) {
      named++;
      String source = sources.computeIfAbsent(m.group(1), DocumentsTest::testSource);
      if (!source.contains(" void " + m.group(2) + "(")) {
        missing.add(m.group());
      }
    }
    assertThat(missing).isEmpty();
    assertThat(named).isGreaterThan(40);
    // no row is without a test
    assertThat(
            page.lines()
                .filter(l -> l.startsWith("| ") && !l.startsWith("| file | threat"))
                .filter(l -> !l.startsWith("| threat |")))
        .allMatch(l -> l.contains("Test#") || l.contains("IT#"));
  }

  private static String testSource(String name) {
    try (Stream<Path> modules = Files.list(ROOT)) {
      for (Path tests :
          modules.map(m -> m.resolve("src/test/java")).filter(Files::isDirectory).toList()) {
        try (Stream<Path> files = Files.walk(tests)) {
          var found = files.filter(f -> f.endsWith(name + ".java")).findFirst();
          if (found.isPresent()) {
            return Files.readString(found.get());
          }
        }
      }
      return "";
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void theManifestsNameCommandsThatExist() throws IOException {
    int containers = 0;
    for (String name : List.of("kubernetes-training.yaml", "kubernetes-serve.yaml")) {
      Path file = ROOT.resolve("docs/operations/" + name);
      Load load = new Load(LoadSettings.builder().setLabel(name).build());
      for (Object document : load.loadAllFromString(Files.readString(file))) {
        Map<?, ?> object = map(document);
        assertThat(object.get("apiVersion")).as(name).isIn("v1", "apps/v1", "batch/v1");
        assertThat(object.get("kind")).as(name).isIn("Service", "Job", "Deployment");
        assertThat(map(object.get("metadata")).get("name")).as(name).isInstanceOf(String.class);
        if (map(object.get("spec")).get("template") instanceof Map<?, ?> template) {
          Map<?, ?> pod = map(template.get("spec"));
          Set<Object> volumes = names(pod.get("volumes"));
          for (Object item : items(pod.get("containers"))) {
            Map<?, ?> container = map(item);
            assertThat(names(container.get("volumeMounts"))).as(name).isEqualTo(volumes);
            List<String> words = new ArrayList<>();
            for (Object word : items(container.get("command"))) {
              words.add(String.valueOf(word).replaceAll("\\$\\(.*\\)", "0"));
            }
            assertThat(words.getFirst()).endsWith("/bin/spillway");
            assertThat(refusal(words.subList(1, words.size()))).as(name).isEmpty();
            containers++;
          }
        }
      }
    }
    assertThat(containers).isEqualTo(2);
  }

  @Test
  void theBatchScriptIsReadByAShellAndNamesCommandsThatExist() throws Exception {
    Path script = ROOT.resolve("docs/operations/slurm-training.sbatch");
    assertThat(new ProcessBuilder("bash", "-n", script.toString()).start().waitFor()).isZero();
    String text = Files.readString(script);
    Matcher launch = Pattern.compile("spillway (launch [^']*)'").matcher(text);
    assertThat(launch.find()).isTrue();
    String line = launch.group(1).replace("\\\n", " ").replaceAll("\"\\$[A-Z_]+\"", "2");
    assertThat(refusal(words(line))).isEmpty();
  }

  /// Command lines in fenced blocks and between ticks, whole ones only: a line with an ellipsis or
  /// without its arguments is an allusion.
  private static List<Typed> typed(Path document) throws IOException {
    List<Typed> lines = new ArrayList<>();
    String text = Files.readString(document).replace("\\\n", " ");
    boolean fenced = false;
    int number = 0;
    for (String line : text.lines().toList()) {
      number++;
      String where = ROOT.relativize(document) + ":" + number;
      if (line.startsWith("```")) {
        fenced = !fenced;
      } else if (fenced && line.strip().startsWith("./spillway ")) {
        lines.add(new Typed(where, words(line.strip().substring("./spillway ".length()))));
      } else if (!fenced) {
        Matcher m = IN_TICKS.matcher(line);
        while (m.find()) {
          lines.add(new Typed(where, words(m.group(1).substring("./spillway ".length()))));
        }
      }
    }
    return lines;
  }

  /// Words as a shell cuts them, up to a comment or a redirection.
  private static List<String> words(String line) {
    List<String> words = new ArrayList<>();
    Matcher m = Pattern.compile("'([^']*)'|\"([^\"]*)\"|(\\S+)").matcher(line);
    while (m.find()) {
      String word = m.group(1) != null ? m.group(1) : m.group(2) != null ? m.group(2) : m.group(3);
      if (m.group(3) != null && (word.startsWith("#") || word.matches("[|>&;]+"))) {
        break;
      }
      words.add(word);
    }
    return words;
  }

  private static java.util.Optional<String> refusal(List<String> words) {
    String name = words.getFirst();
    if (name.startsWith("-") || OF_LAUNCHER.contains(name) || words.contains("…")) {
      return java.util.Optional.empty();
    }
    var entry = Commands.find(name);
    if (entry.isEmpty()) {
      return name.equals(name.toLowerCase(java.util.Locale.ROOT))
          ? java.util.Optional.of("no command '" + name + "'")
          : java.util.Optional.empty();
    }
    int inner = words.indexOf("--");
    try {
      Main.commandLine(entry.get())
          .parseArgs(words.subList(1, words.size()).toArray(String[]::new));
    } catch (CommandLine.MissingParameterException e) {
      // an allusion to a command, such as `./spillway train`
      return java.util.Optional.empty();
    } catch (CommandLine.ParameterException e) {
      return java.util.Optional.of(String.join(" ", words) + ": " + e.getMessage());
    }
    if (name.equals("launch") && inner > 0 && words.get(inner + 1).endsWith("spillway")) {
      return refusal(words.subList(inner + 2, words.size()));
    }
    return java.util.Optional.empty();
  }

  private static Map<?, ?> map(@Nullable Object value) {
    if (value instanceof Map<?, ?> map) {
      return map;
    }
    throw new AssertionError(value + " is no mapping");
  }

  private static List<?> items(@Nullable Object value) {
    if (value instanceof List<?> list) {
      return list;
    }
    throw new AssertionError(value + " is no list");
  }

  private static Set<Object> names(@Nullable Object list) {
    Set<Object> names = new java.util.HashSet<>();
    for (Object item : items(list)) {
      names.add(String.valueOf(map(item).get("name")));
    }
    return names;
  }
}
