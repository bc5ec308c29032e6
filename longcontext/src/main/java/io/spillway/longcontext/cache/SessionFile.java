package io.spillway.longcontext.cache;

import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.CacheStorage;
import io.spillway.longcontext.Policy;
import io.spillway.longcontext.retain.RetainingHeads;
import io.spillway.models.Decoder;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Weights;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// A session on disk: keys before rotation, values and scores of each cache (of each head where
/// heads differ in length), merged entries' mass, and the blocks of InfLLM.
final class SessionFile {
  private static final List<String> NUMBERS =
      List.of("seen", "budget", "chunk", "local", "settingSinks");

  private SessionFile() {}

  static void save(Session session, Decoder decoder, AngleTable table, Path file) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    CacheSettings settings = session.settings();
    Map<String, String> metadata = new LinkedHashMap<>();
    int[] numbers = {
      session.seen(), settings.budget(), settings.chunk(), settings.local(), settings.sinks()
    };
    for (int i = 0; i < numbers.length; i++) {
      metadata.put(NUMBERS.get(i), String.valueOf(numbers[i]));
    }
    metadata.put("policy", session.policy().label());
    metadata.put("storage", settings.storage().label());
    try (TensorScope scope = TensorScope.open()) {
      List<LayerCache> caches = session.caches();
      for (int i = 0; i < caches.size(); i++) {
        LayerCache cache = caches.get(i);
        tensors.put("keys." + i, cache.plainKeys(decoder, table).contiguous());
        tensors.put("values." + i, cache.values().contiguous());
        tensors.put("scores." + i, cache.scores().contiguous());
        if (cache.slots() > 0) {
          double[] slots = {cache.sinksBeforeSlots(), cache.slots(), cache.slotMass()};
          tensors.put("slots." + i, Tensors.of(slots, slots.length));
        }
      }
      for (int i = 0; i < session.far().size(); i++) {
        FarBlocks far = session.far().get(i);
        if (far.count() > 0) {
          tensors.put("blocks." + i, far.blocks());
          tensors.put("representatives." + i, far.representatives().contiguous());
        }
      }
      if (session.seen() > 0) {
        float[] logits = session.logits();
        tensors.put("logits", Tensors.of(logits, logits.length));
      }
      Weights.save(file, tensors, metadata);
    }
  }

  static Session load(Path file, Decoder decoder, @Nullable RetainingHeads heads) {
    try (Weights weights = Weights.open(file);
        TensorScope scope = TensorScope.open();
        NoGrad guard = NoGrad.begin()) {
      Map<String, String> metadata = weights.model().metadata();
      int[] numbers = new int[NUMBERS.size()];
      for (int i = 0; i < numbers.length; i++) {
        String text = metadata.get(NUMBERS.get(i));
        if (text == null || !text.matches("[0-9]{1,9}")) {
          throw SpillwayException.badFile(
              file, "", "no stored cache (%s is missing)", NUMBERS.get(i));
        }
        numbers[i] = Integer.parseInt(text);
      }
      CacheSettings settings =
          new CacheSettings(numbers[1], numbers[2], numbers[3], numbers[4], 1, false)
              .storedAs(CacheStorage.named(metadata.getOrDefault("storage", "model")));
      Policy policy = Policy.named(metadata.getOrDefault("policy", ""));
      Session session = new Session(decoder, policy, settings, heads, null);
      try {
        fill(session, weights, decoder, file);
      } catch (RuntimeException e) {
        session.close();
        throw e;
      }
      float[] logits = weights.contains("logits") ? Tensors.floats(weights.tensor("logits")) : null;
      session.restored(numbers[0], logits);
      return session;
    }
  }

  private static void fill(Session session, Weights weights, Decoder decoder, Path file) {
    List<LayerCache> caches = session.caches();
    long kvHeads = (long) decoder.config().layers() * decoder.config().kvHeads() / caches.size();
    for (int i = 0; i < caches.size(); i++) {
      if (!weights.contains("keys." + i) || weights.contains("keys." + caches.size())) {
        throw SpillwayException.badFile(file, "", "this cache belongs to another model");
      }
      LayerCache cache = caches.get(i);
      Tensor stored = weights.tensor("keys." + i);
      if (stored.size(0) != kvHeads || stored.size(2) != decoder.config().headDim()) {
        throw SpillwayException.badFile(file, "", "this cache belongs to another model");
      }
      cache.append(stored, weights.tensor("values." + i));
      cache.scores().copy_(weights.tensor("scores." + i));
      if (weights.contains("slots." + i)) {
        double[] slots = Tensors.doubles(weights.tensor("slots." + i));
        cache.noteSlots((int) slots[0], (int) slots[1], slots[2]);
      }
    }
    for (int i = 0; i < session.far().size(); i++) {
      if (weights.contains("blocks." + i)) {
        session
            .far()
            .get(i)
            .restore(weights.tensor("blocks." + i), weights.tensor("representatives." + i));
      }
    }
  }
}
