package io.spillway.cli.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.cli.Main;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Whole diffusers folders from prompt to PNG, and what is said about broken ones.
final class DiffuseFoldersTest {
  @TempDir private Path folder;

  private record Ended(int status, String out, String error) {}

  private static Ended run(List<String> arguments) {
    PrintStream out = System.out;
    PrintStream error = System.err;
    ByteArrayOutputStream o = new ByteArrayOutputStream();
    ByteArrayOutputStream e = new ByteArrayOutputStream();
    System.setOut(new PrintStream(o, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(e, true, StandardCharsets.UTF_8));
    try {
      int status = Main.run(arguments.toArray(String[]::new));
      return new Ended(
          status, o.toString(StandardCharsets.UTF_8), e.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(error);
    }
  }

  private Ended diffuse(Path model, String out, String... more) {
    List<String> all = new ArrayList<>(List.of("diffuse", "--model", model.toString()));
    all.addAll(List.of("--device", "cpu", "--quiet"));
    if (!List.of(more).contains("--steps")) {
      all.addAll(List.of("--steps", "3"));
    }
    all.addAll(List.of("--out", folder.resolve(out).toString()));
    all.addAll(List.of(more));
    return run(all);
  }

  private void drawn(Path model, String out, String... more) {
    Ended ended = diffuse(model, out, more);
    assertThat(ended.status).as(ended.error).isZero();
  }

  private void refused(Path model, String words, String... more) {
    Ended ended = diffuse(model, "refused.png", more);
    assertThat(ended.error).contains(words);
    assertThat(ended.error.strip().lines()).hasSizeLessThanOrEqualTo(2);
    assertThat(ended.status).isEqualTo(2);
    assertThat(folder.resolve("refused.png")).doesNotExist();
  }

  private byte[] file(String name) throws IOException {
    return Files.readAllBytes(folder.resolve(name));
  }

  private static void remove(Path tree) throws IOException {
    try (var files = Files.walk(tree)) {
      for (Path p : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(p);
      }
    }
  }

  @Test
  void anSdxlFolderDrawsPrompts() throws IOException {
    Path sdxl = TinyFolders.sdxl(folder.resolve("sdxl"));
    String[] asked = {"--prompt", "Red disc", "--negative", "a ring", "--guidance", "5"};
    drawn(sdxl, "a.png", asked);
    BufferedImage image = ImageIO.read(folder.resolve("a.png").toFile());
    assertThat(image.getWidth()).isEqualTo(32);
    assertThat(image.getHeight()).isEqualTo(32);
    String text = new String(file("a.png"), StandardCharsets.ISO_8859_1);
    assertThat(text)
        .contains("tEXtprompt\0Red disc")
        .contains("tEXtnegative\0a ring")
        .contains("tEXtsampler\0euler")
        .contains("tEXtseed\0" + "1")
        .contains("tEXtguidance\0" + "5.0");

    drawn(sdxl, "again.png", asked);
    assertThat(file("again.png")).isEqualTo(file("a.png"));
    drawn(sdxl, "b.png", "--prompt", "Red disc", "--negative", "a bar", "--guidance", "5");
    drawn(sdxl, "c.png", "--prompt", "Red disc", "--guidance", "5");
    drawn(sdxl, "d.png", "--prompt", "blue disc", "--guidance", "5");
    drawn(sdxl, "e.png", "--prompt", "red   DISC", "--guidance", "5");
    assertThat(pixels("b.png")).isNotEqualTo(pixels("a.png"));
    assertThat(pixels("c.png")).isNotEqualTo(pixels("a.png"));
    assertThat(pixels("d.png")).isNotEqualTo(pixels("c.png"));
    assertThat(pixels("e.png")).isEqualTo(pixels("c.png")); // case and spaces do not matter
  }

  private int[] pixels(String name) throws IOException {
    BufferedImage i = ImageIO.read(folder.resolve(name).toFile());
    return i.getRGB(0, 0, i.getWidth(), i.getHeight(), null, 0, i.getWidth());
  }

  @Test
  void severalPromptsAreOneBatchAndStrategiesAgree() throws IOException {
    Path sdxl = TinyFolders.sdxl(folder.resolve("sdxl"));
    drawn(sdxl, "both.png", "--prompt", "disc", "--prompt", "red", "--count", "2");
    drawn(sdxl, "alone.png", "--prompt", "red", "--seed", "4");
    drawn(
        sdxl, "split.png", "--prompt", "red", "--seed", "4", "--strategy", "ring", "--ranks", "2");
    int[] inBatch = pixels("both-3.png"); // the fourth image: "red" with seed 1 + 3
    int[] alone = pixels("alone.png");
    int[] split = pixels("split.png");
    for (int i = 0; i < alone.length; i++) {
      for (int shift = 0; shift < 24; shift += 8) {
        int a = alone[i] >> shift & 255;
        assertThat(Math.abs(a - (inBatch[i] >> shift & 255))).isLessThanOrEqualTo(1);
        assertThat(Math.abs(a - (split[i] >> shift & 255))).isLessThanOrEqualTo(1);
      }
    }
  }

  @Test
  void whatDoesNotFitIntoThePromptIsSaid() {
    Path sdxl = TinyFolders.sdxl(folder.resolve("sdxl"));
    Ended ended =
        diffuse(
            sdxl, "long.png", "--prompt", "red disc red disc red disc red disc red disc ar disc");
    assertThat(ended.status).as(ended.error).isZero();
    assertThat(ended.error).contains("longer than 10 tokens; left out: 'ar disc'");
  }

  @Test
  void aPixArtFolderDrawsStatesOfItsT5() {
    Path pixArt = TinyFolders.pixArt(folder.resolve("pixart"));
    Path states = folder.resolve("states.safetensors");
    TinyFolders.promptStates(states, 5, 10);
    drawn(pixArt, "p.png", "--prompt-states", states.toString(), "--steps", "4");
    drawn(
        pixArt,
        "q.png",
        "--prompt-states",
        states.toString(),
        "--ranks",
        "2",
        "--strategy",
        "pipefusion",
        "--warmup",
        "1");
    refused(pixArt, "give --prompt-states FILE", "--prompt", "disc");
    refused(pixArt, "draws from text", "--class", "1");
    Path narrow = folder.resolve("narrow.safetensors");
    TinyFolders.promptStates(narrow, 5, 11);
    refused(pixArt, "the model wants [tokens, 10]", "--prompt-states", narrow.toString());
    refused(pixArt, "no such file", "--prompt-states", folder.resolve("absent").toString());
  }

  @Test
  void aDitOnLatentsDrawsClasses() throws IOException {
    Path dit = TinyFolders.dit(folder.resolve("dit"));
    drawn(dit, "three.png", "--class", "3");
    drawn(dit, "four.png", "--class", "4", "--sampler", "dpm++");
    assertThat(ImageIO.read(folder.resolve("three.png").toFile()).getWidth()).isEqualTo(32);
    refused(dit, "class 'cat' is no number", "--class", "cat");
    refused(dit, "class 11", "--class", "11");
    refused(dit, "no text to avoid", "--class", "1", "--negative", "ring");
    refused(dit, "only PixArt models do", "--prompt-states", "x");
  }

  @Test
  void brokenFoldersAreNamed() throws IOException {
    Path sdxl = TinyFolders.sdxl(folder.resolve("sdxl"));
    String[] ask = {"--prompt", "disc"};
    Files.delete(sdxl.resolve("tokenizer_2/merges.txt"));
    refused(sdxl, "tokenizer_2/merges.txt is missing", ask);
    Files.writeString(sdxl.resolve("tokenizer_2/merges.txt"), "#version\nr e d\n");
    refused(sdxl, "'r e d' is no pair", ask);
    remove(sdxl.resolve("vae"));
    TinyFolders.tokenizer(sdxl.resolve("tokenizer_2"), "!");
    refused(sdxl, "component vae is missing", ask);
    remove(sdxl.resolve("text_encoder_2"));
    refused(sdxl, "component text_encoder_2 is missing", ask);
    Path unet = sdxl.resolve("unet");
    Path shard;
    try (var files = Files.list(unet)) {
      shard = files.filter(f -> f.toString().contains("00002-of")).findFirst().orElseThrow();
    }
    Files.delete(shard);
    refused(sdxl, String.valueOf(shard.getFileName()), ask);
    Files.delete(unet.resolve("diffusion_pytorch_model.safetensors.index.json"));
    refused(sdxl, "weights are missing", ask);
    Files.writeString(
        sdxl.resolve("scheduler/scheduler_config.json"), "{\"_class_name\": \"Foo\"}");
    refused(sdxl, "scheduler Foo is unknown", ask);
  }

  @Test
  void badSettingsAreRefusedBeforeWork() {
    Path dit = TinyFolders.dit(folder.resolve("dit"));
    refused(dit, "did you mean 'euler'", "--sampler", "eulr");
    refused(dit, "trained for ddim", "--sampler", "flow-euler");
    refused(dit, "no multiple of 4", "--size", "30");
    refused(dit, "multiples of 2", "--size", "12");
    refused(dit, "1.5", "--strategy", "pcpp", "--conditioning", "1.5", "--ranks", "2");
    refused(dit, "take at most 4", "--strategy", "pcpp", "--ranks", "8");
    refused(dit, "between 1 and 1000", "--steps", "0");
    refused(dit, "--count 0", "--count", "0");
    refused(folder.resolve("absent"), "neither a folder");
  }
}
