package io.spillway.diffusion.text;

import io.spillway.diffusion.model.Condition;
import io.spillway.diffusion.model.Ops;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// SDXL's two text encoders: the states before the last block of both, side by side, and the
/// projected pooled state of the second.
///
/// **Source:** Podell et al., "SDXL", section 2.1.
///
/// @param zeroWithout whether images without a negative prompt are contrasted with zeros instead of
///   the encoded empty text
public record TextEncoders(
    ClipTokenizer firstTokenizer,
    ClipEncoder first,
    ClipTokenizer secondTokenizer,
    ClipEncoder second,
    boolean zeroWithout)
    implements AutoCloseable {
  public TextEncoders {
    if (second.config().projection() == 0) {
      throw SpillwayException.badInput(
          "text_encoder_2 has no projection (CLIPTextModelWithProjection is needed)");
    }
  }

  /// Width of the states.
  public int width() {
    return first.config().width() + second.config().width();
  }

  /// What of each text does not fit, in words; empty if all do.
  public List<String> leftOut(List<String> texts) {
    List<String> notes = new ArrayList<>();
    for (String text : texts) {
      String rest = firstTokenizer.encode(text).leftOut();
      if (!rest.isEmpty()) {
        notes.add(
            "the prompt is longer than "
                + (first.config().positions() - 2)
                + " tokens; left out: '"
                + rest
                + "'");
      }
    }
    return notes.stream().distinct().toList();
  }

  /// The conditions of a batch.
  ///
  /// @param guided whether the unconditional half comes first
  /// @param size rows and columns in pixels
  public Condition.SizedText encode(
      List<String> texts, Optional<String> negative, boolean guided, int size) {
    Half wanted = half(texts);
    Half all = wanted;
    if (guided) {
      Half without;
      if (negative.isEmpty() && zeroWithout) {
        without = new Half(torch.zeros_like(wanted.states), torch.zeros_like(wanted.pooled));
      } else {
        without = half(java.util.Collections.nCopies(texts.size(), negative.orElse("")));
      }
      all =
          new Half(
              Ops.cat(List.of(without.states, wanted.states), 0),
              Ops.cat(List.of(without.pooled, wanted.pooled), 0));
    }
    int batch = Math.toIntExact(all.states.size(0));
    float[] sizes = new float[6 * batch];
    for (int b = 0; b < batch; b++) {
      sizes[6 * b] = size;
      sizes[6 * b + 1] = size;
      sizes[6 * b + 4] = size;
      sizes[6 * b + 5] = size;
    }
    return new Condition.SizedText(
        all.states,
        all.pooled,
        Tensors.of(sizes, batch, 6).to(all.pooled.device(), torch.ScalarType.Float));
  }

  private record Half(Tensor states, Tensor pooled) {}

  private Half half(List<String> texts) {
    ClipEncoder.Encoded one = first.encode(ids(firstTokenizer, texts));
    ClipEncoder.Encoded two = second.encode(ids(secondTokenizer, texts));
    return new Half(Ops.cat(List.of(one.penultimate(), two.penultimate()), 2), two.pooled());
  }

  private static int[][] ids(ClipTokenizer tokenizer, List<String> texts) {
    return texts.stream().map(t -> tokenizer.encode(t).ids()).toArray(int[][]::new);
  }

  @Override
  public void close() {
    firstTokenizer.close();
    first.close();
    secondTokenizer.close();
    second.close();
  }
}
