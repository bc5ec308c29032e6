import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.model.ModelSupport;
import com.github.tjake.jlama.safetensors.DType;
import com.github.tjake.jlama.tensor.AbstractTensor;
import com.github.tjake.jlama.tensor.KvBufferCache;
import com.github.tjake.jlama.tensor.operations.TensorOperationsProvider;
import java.io.File;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;

/// Jlama on the same folder: `JlamaBench DIR WORKING QUANTISED PROMPT ANSWER`, the rates as one JSON line.
public final class JlamaBench {
  public static void main(String[] args) {
    DType working = DType.valueOf(args[1]);
    DType quantised = DType.valueOf(args[2]);
    int prompt = Integer.parseInt(args[3]);
    int answer = Integer.parseInt(args[4]);
    AbstractModel model = ModelSupport.loadModel(new File(args[0]), working, quantised);
    int[] tokens = new Random(1).ints(prompt, 3, model.getConfig().vocabularySize).toArray();
    double[] prefill = new double[2];
    double[] decode = new double[2];
    try (KvBufferCache cache = new KvBufferCache(model);
        AbstractTensor logits = model.makeDenseTensor(model.getConfig().vocabularySize)) {
      for (int round = 0; round < 3; round++) { // the first warms up
        try (KvBufferCache.KvBuffer kv = cache.getEphemeralKvBuffer()) {
          long begin = System.nanoTime();
          AbstractTensor last = model.batchForward(round == 0 ? Arrays.copyOf(tokens, Math.min(64, prompt)) : tokens, 0, kv);
          AbstractTensor row = last.slice(last.shape().first() - 1);
          model.sample(row, 0f, 0f, logits);
          long read = System.nanoTime();
          int at = round == 0 ? Math.min(64, prompt) : prompt;
          for (int i = 0; i < answer; i++) {
            AbstractTensor out = model.forward(tokens[i], at + i, kv, Optional.empty());
            model.sample(out, 0f, 0f, logits);
            out.close();
          }
          if (round > 0) {
            prefill[round - 1] = prompt / ((read - begin) / 1e9);
            decode[round - 1] = answer / ((System.nanoTime() - read) / 1e9);
          }
        }
      }
    }
    System.out.println("{\"jlama\": \"0.8.4\", \"operations\": \"" + TensorOperationsProvider.get().name() + "\", \"working\": \"" + working + "\", \"quantised\": \"" + quantised + "\", \"prompt\": " + prompt + ", \"prefillTokensPerSecond\": " + Arrays.toString(prefill) + ", \"decodeTokensPerSecond\": " + Arrays.toString(decode) + "}");
    System.exit(0);
  }
}
