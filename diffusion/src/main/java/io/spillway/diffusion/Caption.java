package io.spillway.diffusion;

import io.spillway.diffusion.parallel.Job;
import io.spillway.diffusion.shapes.Shape;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What is written into an image's file: all that is needed to make it again.
public final class Caption {
  private Caption() {}

  /// The parameters of one image of a batch.
  public static Map<String, String> of(Images images, Job job, int ranks, int index) {
    Map<String, String> text = new LinkedHashMap<>();
    text.put("Software", "spillway diffuse");
    text.put("model", images.model().name());
    switch (images.wish()) {
      case Wish.Labels(int[] labels) -> text.put("class", name(images.model(), labels[index]));
      case Wish.Prompts(List<String> texts, Optional<String> negative) -> {
        text.put("prompt", texts.get(index));
        negative.ifPresent(n -> text.put("negative", n));
      }
      case Wish.Encoded(Path file, int _) -> text.put("prompt-states", file.toString());
    }
    text.put("seed", String.valueOf(images.seeds()[index]));
    text.put("size", String.valueOf(images.size()));
    text.put("steps", String.valueOf(job.steps()));
    text.put("sampler", job.sampler().name());
    text.put("guidance", String.valueOf(job.guidance()));
    text.put("strategy", job.strategy().label());
    text.put("ranks", String.valueOf(ranks));
    text.put("warmup", String.valueOf(job.warmup()));
    return text;
  }

  private static String name(ImageModel model, int label) {
    return model.classes() == Shape.values().length && label < model.classes()
        ? Shape.values()[label].label()
        : String.valueOf(label);
  }
}
