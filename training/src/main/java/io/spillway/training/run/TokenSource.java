package io.spillway.training.run;

import io.spillway.models.Tokenizer;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import io.spillway.tensor.Tensors;
import io.spillway.training.data.Sequences;
import io.spillway.training.data.TokenCache;
import io.spillway.training.data.TokenFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.pytorch.Tensor;

/// The batches of a run. Text is tokenised with the model's `tokenizer.json`; a model without one
/// reads bytes, id 256 ends a document if the vocabulary has it.
final class TokenSource implements AutoCloseable {
  private final TokenFile tokens;
  private final Sequences sequences;
  private final int length;
  private final ComputeDevice processor;

  /// @param processor where batches are needed
  TokenSource(
      TrainJob job, ModelSource model, Ranks ranks, ComputeDevice processor, Progress progress) {
    this.processor = processor;
    length = job.settings().sequence();
    int vocabulary = model.config().vocabulary();
    Path tokenizer = model.folder().resolve("tokenizer.json");
    // rank 0 makes the token file, the others find it
    if (ranks.rank() > 0) {
      ranks.barrier();
    }
    if (Files.isRegularFile(tokenizer)) {
      int end = model.config().endTokens().isEmpty() ? -1 : model.config().endTokens().getFirst();
      try (Tokenizer t = Tokenizer.open(model.folder())) {
        tokens =
            TokenCache.open(
                job.data(),
                job.output(),
                text -> t.encode(text, false),
                tokenizer.toAbsolutePath().toString(),
                end,
                vocabulary,
                progress);
      }
    } else {
      tokens =
          TokenCache.open(
              job.data(),
              job.output(),
              TokenSource::bytes,
              "bytes",
              vocabulary > 256 ? 256 : -1,
              vocabulary,
              progress);
    }
    if (ranks.rank() == 0) {
      ranks.barrier();
    }
    try {
      tokens.check(vocabulary);
      sequences = new Sequences(tokens, length, job.evaluation(), new Seeds(job.settings().seed()));
    } catch (RuntimeException e) {
      tokens.close();
      throw e;
    }
  }

  private static int[] bytes(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    int[] ids = new int[utf8.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = utf8[i] & 0xFF;
    }
    return ids;
  }

  Sequences sequences() {
    return sequences;
  }

  /// Ids and targets.
  ///
  /// **Shapes:** each `[count, length]` i64.
  record Batch(Tensor ids, Tensor targets) {}

  Batch training(long first, int count) {
    return batch(first, count, false);
  }

  Batch evaluation(long first, int count) {
    return batch(first, count, true);
  }

  private Batch batch(long first, int count, boolean evaluation) {
    Tensor ids = Tensors.empty(DType.I64, count, length);
    Tensor targets = Tensors.empty(DType.I64, count, length);
    MemorySegment idMemory = Tensors.segment(ids);
    MemorySegment targetMemory = Tensors.segment(targets);
    for (int s = 0; s < count; s++) {
      long[] row = evaluation ? sequences.evaluation(first + s) : sequences.training(first + s);
      MemorySegment.copy(row, 0, idMemory, ValueLayout.JAVA_LONG, 8L * s * length, length);
      MemorySegment.copy(row, 1, targetMemory, ValueLayout.JAVA_LONG, 8L * s * length, length);
    }
    return new Batch(Tensors.to(ids, processor), Tensors.to(targets, processor));
  }

  @Override
  public void close() {
    tokens.close();
  }
}
