package io.spillway.server.images;

import io.spillway.diffusion.ImageModel;
import io.spillway.diffusion.Images;
import io.spillway.diffusion.Wish;
import io.spillway.diffusion.parallel.Job;
import io.spillway.diffusion.sampling.Samplers;
import io.spillway.diffusion.text.TextEncoders;
import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
import io.spillway.server.http.JsonBody;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// Reads the body of `POST /generate`.
///
/// **Errors:** unknown keys, wrong types and values out of range, with the key's name.
final class ImageRequest {
  private static final List<String> KEYS =
      List.of(
          "prompt",
          "class",
          "negative_prompt",
          "count",
          "seed",
          "size",
          "steps",
          "guidance",
          "sampler",
          "stream",
          "format");

  private final JsonBody body;
  private final ImageModel model;
  private final ImageServerSettings settings;

  ImageRequest(JsonNode body, ImageModel model, ImageServerSettings settings) {
    this.body = new JsonBody(body);
    body.propertyNames()
        .forEach(key -> {
          if (!KEYS.contains(key)) {
            throw SpillwayException.badInput("'%s' is unknown, %s", key, Nearest.hint(key, KEYS));
          }
        });
    this.model = model;
    this.settings = settings;
  }

  /// Whether steps are told as server-sent events.
  boolean stream() {
    return body.flag("stream");
  }

  /// Whether the answer is the PNG file itself instead of JSON with base64.
  boolean png() {
    String format = body.text("format").orElse("base64");
    if (!format.equals("png") && !format.equals("base64")) {
      throw SpillwayException.badInput("'format' must be png or base64");
    }
    return format.equals("png");
  }

  /// The task, checked against the model.
  ///
  /// @param fallbackSeed where the request has none
  ImageTask task(String id, long fallbackSeed) {
    Wish wish = wish();
    if (wish.count() > settings.mostImages()) {
      throw SpillwayException.badInput(
          "%d images in one request: at most %d", wish.count(), settings.mostImages());
    }
    if (png() && (wish.count() != 1 || stream())) {
      throw SpillwayException.badInput(
          "'format' png is for one image without 'stream'; take base64");
    }
    long seed = body.path("seed").isIntegralNumber() ? body.path("seed").asLong() : fallbackSeed;
    if (body.has("seed") && !body.path("seed").isIntegralNumber()) {
      throw SpillwayException.badInput("'seed' must be a whole number");
    }
    long[] seeds = new long[wish.count()];
    java.util.Arrays.setAll(seeds, i -> seed + i);
    Job given = settings.job();
    int size = body.integer("size", given.rows() * model.pixelFold(), 1, settings.largestSize());
    Images images = new Images(model, size, seeds, wish);
    Job job =
        new Job(
            given.strategy(),
            given.splitGuidance(),
            given.warmup(),
            body.integer("steps", given.steps(), 1, 1000),
            body.text("sampler")
                .map(n -> Samplers.named(n, model.sampler()))
                .orElse(given.sampler()),
            body.number("guidance", given.guidance()),
            images.rows(),
            images.rows(),
            given.recorded());
    job.check(model.denoiser(), settings.ranks());
    return new ImageTask(id, images, job, notes(wish));
  }

  private List<String> notes(Wish wish) {
    TextEncoders text = model.text();
    if (text == null
        || !(wish instanceof Wish.Prompts(List<String> texts, Optional<String> negative))) {
      return List.of();
    }
    List<String> all = new ArrayList<>(texts);
    negative.ifPresent(all::add);
    return text.leftOut(all);
  }

  private Wish wish() {
    int count = body.integer("count", 1, 1, settings.mostImages());
    Optional<String> negative = body.text("negative_prompt");
    if (model.classes() > 0) {
      if (negative.isPresent()) {
        throw SpillwayException.badInput(
            "'negative_prompt': %s draws from classes and has no text to avoid", model.name());
      }
      JsonNode label = body.path(body.has("class") ? "class" : "prompt");
      if (!label.isString() && !label.isIntegralNumber()) {
        throw SpillwayException.badInput("'class' must be a name or a number");
      }
      int[] labels = new int[count];
      java.util.Arrays.fill(labels, model.label(label.asString()));
      return new Wish.Labels(labels);
    }
    if (body.has("class")) {
      throw SpillwayException.badInput("'class': %s draws from text", model.name());
    }
    List<String> prompts = new ArrayList<>();
    JsonNode node = body.path("prompt");
    if (node.isArray()) {
      node.forEach(n -> prompts.addAll(Collections.nCopies(count, string(n))));
    } else {
      prompts.addAll(Collections.nCopies(count, string(node)));
    }
    if (prompts.isEmpty()) {
      throw SpillwayException.badInput("'prompt' must have at least one text");
    }
    return new Wish.Prompts(prompts, negative);
  }

  private static String string(JsonNode node) {
    if (!node.isString()) {
      throw SpillwayException.badInput("'prompt' must be a text or a list of texts");
    }
    return node.asString();
  }
}
