package io.spillway.cli.longcontext;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.cli.Main;
import io.spillway.longcontext.retain.RetainingHeads;
import io.spillway.models.ConfigReader;
import io.spillway.platform.Seeds;
import io.spillway.testkit.TestData;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What a person meets who gives `generate` something wrong: one clear line and the exit status 2.
class LongContextBadInputTest {
  @TempDir Path folder;

  private static Path own() {
    return TestData.repository().resolve("longcontext").resolve("model");
  }

  /// The model that comes along, linked file by file, to be damaged.
  private void link() throws IOException {
    try (Stream<Path> files = Files.list(own())) {
      for (Path file : files.toList()) {
        Files.createSymbolicLink(folder.resolve(file.getFileName()), file);
      }
    }
  }

  private void change(String name, UnaryOperator<String> edit) throws IOException {
    Path file = folder.resolve(name);
    String text = edit.apply(Files.readString(file));
    Files.delete(file);
    Files.writeString(file, text);
  }

  private static void refused(String message, String... options) {
    List<String> arguments = new ArrayList<>(List.of("generate", "--device", "cpu"));
    arguments.addAll(Arrays.asList(options));
    told(message, arguments);
  }

  private static void told(String message, List<String> arguments) {
    PrintStream err = System.err;
    ByteArrayOutputStream told = new ByteArrayOutputStream();
    int status;
    try {
      System.setErr(new PrintStream(told, true, StandardCharsets.UTF_8));
      status = Main.run(arguments.toArray(String[]::new));
    } finally {
      System.setErr(err);
    }
    String text = told.toString(StandardCharsets.UTF_8);
    assertThat(text).startsWith("spillway: ").contains(message);
    assertThat(text.strip().lines()).hasSize(1);
    assertThat(status).isEqualTo(2);
  }

  @Test
  void otherCommandsTellBeforeTheyBegin() throws IOException {
    told("unknown policy 'lru'", List.of("chat", "--device", "cpu", "--policy", "lru"));
    told("temperature is -1.0", List.of("chat", "--device", "cpu", "--temperature", "-1"));
    told("--samples 0 must be", List.of("retain", "eval", "--device", "cpu", "--samples", "0"));
    Path file = Files.writeString(folder.resolve("file"), "");
    told(
        "contexts cannot be stored in " + file,
        List.of("serve", "--device", "cpu", "--port", "0", "--sessions", file.toString()));
  }

  private void modelRefused(String message) {
    refused(message, "--prompt", "hi", "--model", folder.toString());
  }

  @Test
  void aPromptFileThatIsMissingOrNoText() throws IOException {
    Path missing = folder.resolve("long.txt");
    refused(missing + ": no such file", "--prompt-file", missing.toString());
    Path latin = Files.write(folder.resolve("latin.txt"), new byte[] {'a', (byte) 0xE4, 'b'});
    refused(latin + " is not UTF-8 text", "--prompt-file", latin.toString());
  }

  @Test
  void aMissingShard() throws IOException {
    link();
    Files.delete(folder.resolve("model.safetensors"));
    Files.writeString(
        folder.resolve("model.safetensors.index.json"),
        "{\"metadata\": {}, \"weight_map\": {\"model.norm.weight\":"
            + " \"model-00002-of-00002.safetensors\"}}");
    modelRefused("model-00002-of-00002.safetensors: no such file");
  }

  @Test
  void aFileThatWasCut() throws IOException {
    link();
    byte[] all = Files.readAllBytes(own().resolve("model.safetensors"));
    Files.delete(folder.resolve("model.safetensors"));
    Files.write(folder.resolve("model.safetensors"), Arrays.copyOf(all, all.length / 2));
    modelRefused("but the data has");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"llama\"|\"mamba\"|model_type 'mamba' is not supported",
        "\"intermediate_size\" : 512|\"intermediate_size\" : 513|config.json asks for [513, 256]",
        "\"num_hidden_layers\" : 6|\"num_hidden_layers\" : 7|model.layers.6.input_layernorm.weight is"
            + " missing",
        "\"num_key_value_heads\" : 4|\"num_key_value_heads\" : 3|must be a multiple of"
      })
  void aConfigurationThatDoesNotFit(String from, String to, String message) throws IOException {
    link();
    change("config.json", text -> text.replace(from, to));
    assertThat(Files.readString(folder.resolve("config.json"))).contains(to);
    modelRefused(message);
  }

  @Test
  void noTokenizerOrABrokenOne() throws IOException {
    link();
    change("tokenizer.json", text -> "{");
    modelRefused("tokenizer.json:1:2: Unexpected end-of-input");
    Files.delete(folder.resolve("tokenizer.json"));
    modelRefused("tokenizer.json is missing; copy the model's tokenizer.json");
  }

  @Test
  void noModel() {
    refused("is no folder", "--prompt", "hi", "--model", folder.resolve("none").toString());
  }

  @Test
  void headsOfAnotherModel() throws IOException {
    Path file = folder.resolve("heads.safetensors");
    Files.writeString(
        folder.resolve("config.json"),
        Files.readString(own().resolve("config.json"))
            .replace("\"num_key_value_heads\" : 4", "\"num_key_value_heads\" : 2"));
    var config = ConfigReader.read(folder);
    try (RetainingHeads heads = RetainingHeads.fresh(config, 8, new Seeds(1).stream("other"))) {
      heads.save(file, Map.of());
    }
    refused("these heads belong to another model", "--prompt", "hi", "--heads", file.toString());
    refused(
        "no such file of retaining heads",
        "--prompt",
        "hi",
        "--heads",
        folder.resolve("none").toString());
  }

  @Test
  void aPromptBeyondTheModelWithoutAPolicy() {
    refused(
        "exceed the model's 512 positions; choose a policy that evicts",
        "--prompt",
        "The fox finds the old tower. ".repeat(120),
        "--policy",
        "full");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--budget|4|--sinks|4|a budget of 4 entries cannot hold 4 sinks and a window; give at least"
            + " 5",
        "--budget|0|--sinks|1|budget '0' is no number of entries",
        "--budget|600|--chunk|64|need 664 positions, the model has 512; lower the budget or the chunk",
        "--budget|64|--chunk|0|chunk is 0, it must be at least 1",
        "--policy|locret+adda|--chunk|64|unknown wrapper '+adda'",
        "--policy|infllm|--budget|600|the model has 512",
        "--policy|snapkv|--budget|32|cannot hold 1 sinks and the window of 32 queries of --policy"
            + " snapkv; give at least 33",
        "--max-tokens|0|--chunk|64|an answer of at most 0 tokens is no answer",
        "--cache|q3|--chunk|64|unknown cache storage 'q3'",
        "--dtype|f8|--chunk|64|--dtype f8 is neither f32 nor bf16"
      })
  void settingsThatCannotBe(String a, String b, String c, String d, String message) {
    refused(message, "--prompt", "hi", a, b, c, d);
  }
}
