package io.spillway.diffusion.text;

import io.spillway.diffusion.model.Condition;
import io.spillway.diffusion.model.Ops;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.DType;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Weights;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Text that somebody encoded before, for models whose text encoder we do not run (PixArt's T5 XXL
/// has twice as many parameters as SDXL). One safetensors file with the names of diffusers'
/// arguments:
///
/// - `prompt_embeds` [tokens, width] or [1, tokens, width]
/// - `prompt_attention_mask` `[tokens]`, 1 for tokens that count; all do if it is absent
/// - `negative_prompt_embeds`, `negative_prompt_attention_mask`: needed with guidance
public final class PromptStates {
  private static final double HIDDEN = -10_000;

  private PromptStates() {}

  /// One text's states and which of them count.
  private record Text(Tensor states, Tensor counts) {}

  /// The conditions of a batch of images of one prompt, the unconditional half first.
  ///
  /// **Errors:** a missing tensor or a wrong width, with the file.
  ///
  /// @param like a weight of the model, whose device and type they take
  /// @param sizes height, width and their ratio are added for models that want them
  public static Condition.Text read(
      Path file, int width, int batch, boolean guided, Tensor like, int[] sizes) {
    try (Weights weights = Weights.open(file)) { // its tensors outlive it
      Text wanted = text(file, weights, "prompt", width);
      Text all = wanted;
      if (guided) {
        Text without = text(file, weights, "negative_prompt", width);
        long tokens = Math.max(wanted.states.size(1), without.states.size(1));
        Text a = padded(without, tokens, batch);
        Text b = padded(wanted, tokens, batch);
        all =
            new Text(
                Ops.cat(List.of(a.states, b.states), 0), Ops.cat(List.of(a.counts, b.counts), 0));
      } else {
        all = padded(wanted, wanted.states.size(1), batch);
      }
      Tensor mask =
          all.counts
              .sub(new Scalar(1))
              .mul(new Scalar(-HIDDEN))
              .unsqueeze(1)
              .unsqueeze(2)
              .to(like.device(), like.scalar_type());
      int samples = Math.toIntExact(all.states.size(0));
      float[] numbers = new float[3 * samples];
      for (int i = 0; i < samples; i++) {
        numbers[3 * i] = sizes[0];
        numbers[3 * i + 1] = sizes[1];
        numbers[3 * i + 2] = (float) sizes[0] / sizes[1];
      }
      return new Condition.Text(
          all.states.to(like.device(), like.scalar_type()),
          mask,
          Tensors.of(numbers, samples, 3).to(like.device(), torch.ScalarType.Float));
    }
  }

  private static Text text(Path file, Weights weights, String name, int width) {
    String states = name + "_embeds";
    if (!weights.contains(states)) {
      throw SpillwayException.badFile(
          file,
          "",
          "tensor %s is missing%s",
          states,
          name.startsWith("negative") ? "; guidance contrasts with it" : "");
    }
    Tensor t = weights.tensor(states);
    Tensor rows = t.dim() == 2 ? t.unsqueeze(0) : t;
    if (rows.dim() != 3 || rows.size(0) != 1 || rows.size(2) != width || rows.size(1) < 1) {
      throw SpillwayException.badFile(
          file,
          "",
          "tensor %s has shape %s, the model wants [tokens, %d]",
          states,
          Ops.shape(t),
          width);
    }
    long tokens = rows.size(1);
    String mask = name + "_attention_mask";
    Tensor counts =
        weights.contains(mask)
            ? Tensors.to(weights.tensor(mask), DType.F32).reshape(-1)
            : Tensors.empty(DType.F32, tokens).fill_(new Scalar(1));
    if (counts.numel() != tokens) {
      throw SpillwayException.badFile(
          file, "", "tensor %s has %d numbers for %d tokens", mask, counts.numel(), tokens);
    }
    return new Text(Tensors.to(rows, DType.F32), counts.unsqueeze(0));
  }

  /// Repeated for every image and filled up with tokens that do not count.
  private static Text padded(Text text, long tokens, int batch) {
    long missing = tokens - text.states.size(1);
    Tensor states = text.states;
    Tensor counts = text.counts;
    if (missing > 0) {
      states =
          Ops.cat(List.of(states, Tensors.empty(DType.F32, 1, missing, states.size(2)).zero_()), 1);
      counts = Ops.cat(List.of(counts, Tensors.empty(DType.F32, 1, missing).zero_()), 1);
    }
    return new Text(states.repeat(new long[] {batch, 1, 1}), counts.repeat(new long[] {batch, 1}));
  }
}
