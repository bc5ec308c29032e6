package io.spillway.diffusion;

import io.spillway.platform.SpillwayException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What images are asked to show.
public sealed interface Wish {
  /// The class of each image.
  record Labels(int[] labels) implements Wish {}

  /// The text of each image, and what none of them may show.
  record Prompts(List<String> texts, Optional<String> negative) implements Wish {
    public Prompts {
      texts = List.copyOf(texts);
    }
  }

  /// One text for all images, encoded before, as [io.spillway.diffusion.text.PromptStates] reads
  /// it.
  record Encoded(Path file, int count) implements Wish {}

  /// Images asked for.
  default int count() {
    return switch (this) {
      case Labels(int[] labels) -> labels.length;
      case Prompts(List<String> texts, Optional<String> _) -> texts.size();
      case Encoded(Path _, int count) -> count;
    };
  }

  /// Checks that the model understands it.
  ///
  /// **Errors:** a class that it does not know, a prompt for a model of classes and the other way
  /// round.
  default void check(ImageModel model) {
    boolean pixArt = model.denoiser() instanceof io.spillway.diffusion.model.PixArt;
    switch (this) {
      case Labels(int[] labels) -> {
        if (model.classes() == 0) {
          throw SpillwayException.badInput(
              "%s draws from text, not from classes; give --prompt%s",
              model.name(), pixArt ? "-states FILE" : "");
        }
        for (int label : labels) {
          if (label < 0 || label > model.classes()) {
            throw SpillwayException.badInput(
                "class %d: the model knows 0 to %d, and %d for none",
                label, model.classes() - 1, model.classes());
          }
        }
      }
      case Prompts _ -> {
        if (model.text() == null) {
          throw SpillwayException.badInput(
              pixArt
                  ? "%s was trained on T5 states, whose encoder is not run here; give"
                      + " --prompt-states FILE (prompt_embeds, negative_prompt_embeds)"
                  : "%s draws from classes, not from text; give --class",
              model.name());
        }
      }
      case Encoded _ -> {
        if (!pixArt) {
          throw SpillwayException.badInput(
              "%s takes no --prompt-states; only PixArt models do", model.name());
        }
      }
    }
  }
}
