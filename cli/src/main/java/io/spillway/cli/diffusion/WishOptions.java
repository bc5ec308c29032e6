package io.spillway.cli.diffusion;

import io.spillway.diffusion.ImageModel;
import io.spillway.diffusion.Wish;
import io.spillway.platform.SpillwayException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// What images show.
final class WishOptions {
  @Option(
      names = "--class",
      description =
          "For models of classes: a number, or disc, ring, square, triangle, plus, crescent, stripes"
              + " or hourglass for ours; default disc.")
  @Nullable String label;

  @Option(
      names = "--prompt",
      description =
          "For models of text: what to draw; given several times, one image each. Models of classes"
              + " take it as the class.")
  List<String> prompts = new ArrayList<>();

  @Option(
      names = "--negative",
      description = "For models of text: what no image may show (needs guidance above 1).")
  @Nullable String negative;

  @Option(
      names = "--prompt-states",
      paramLabel = "FILE",
      description =
          "For PixArt: safetensors with prompt_embeds and negative_prompt_embeds from its T5.")
  @Nullable Path states;

  @Option(
      names = "--count",
      defaultValue = "1",
      description =
          "Images of each prompt in one batch, with consecutive seeds; default ${DEFAULT-VALUE}.")
  int count;

  /// What the options ask the model for.
  Wish wish(ImageModel model) {
    if (count < 1 || count > 256) {
      throw SpillwayException.badInput("--count %d: between 1 and 256", count);
    }
    if (states != null) {
      return new Wish.Encoded(states, count);
    }
    if (model.classes() > 0) {
      if (negative != null) {
        throw SpillwayException.badInput(
            "--negative: %s draws from classes and has no text to avoid", model.name());
      }
      List<String> names = prompts.isEmpty() ? List.of(label == null ? "disc" : label) : prompts;
      if (label == null && prompts.isEmpty() && !ImageModel.SHIPPED.contains(model.name())) {
        names = List.of("0");
      }
      return new Wish.Labels(
          names.stream()
              .flatMap(name -> java.util.Collections.nCopies(count, name).stream())
              .mapToInt(model::label)
              .toArray());
    }
    if (label != null || prompts.isEmpty()) {
      throw SpillwayException.badInput(
          "%s draws from text: give --prompt (for PixArt --prompt-states FILE)", model.name());
    }
    return new Wish.Prompts(
        prompts.stream()
            .flatMap(text -> java.util.Collections.nCopies(count, text).stream())
            .toList(),
        Optional.ofNullable(negative));
  }
}
