package io.spillway.longcontext.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.Policy;
import io.spillway.longcontext.TinyModel;
import io.spillway.longcontext.retain.Importance;
import io.spillway.longcontext.retain.RetainingHeads;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Torch;
import io.spillway.testkit.Cases;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SessionTest {
  private static int[] tokens(RandomGenerator random, int count) {
    return random.ints(count, 0, 40).toArray();
  }

  private static float[] fullForward(TinyModel model, int[] ids) {
    try (TensorScope scope = TensorScope.open();
        NoGrad guard = NoGrad.begin()) {
      long[] wide = Arrays.stream(ids).asLongStream().toArray();
      Tensor logits = model.decoder().forward(Tensors.of(wide, 1, ids.length));
      return Tensors.floats(logits.narrow(1, ids.length - 1L, 1));
    }
  }

  static Stream<Policy> policies() {
    return Stream.concat(
        Policy.NAMED.stream()
            .map(java.util.function.Supplier::get)
            .filter(p -> !(p instanceof Policy.Oracle)),
        Stream.of("locret+ada", "snapkv+merge", "locret-q+ada+merge:0.2").map(Policy::named));
  }

  private static Session session(
      TinyModel model, Policy policy, CacheSettings settings, RetainingHeads heads) {
    return new Session(model.decoder(), policy, settings, heads, null);
  }

  @ParameterizedTest
  @MethodSource("policies")
  void withRoomForAllEveryPolicyIsTheFullModel(Policy policy) {
    Cases.run(
        3,
        random -> {
          try (TinyModel model = new TinyModel(random);
              RetainingHeads heads = RetainingHeads.fresh(model.decoder().config(), 16, random)) {
            int[] context = tokens(random, 61);
            int[] question = tokens(random, 7);
            try (Session session = session(model, policy, CacheSettings.of(128, 16), heads)) {
              session.prefill(context, question);
              int[] all = Arrays.copyOf(context, 68);
              System.arraycopy(question, 0, all, 61, 7);
              assertThat(session.logits())
                  .containsExactly(fullForward(model, all), Offset.offset(1e-3f));
              float[] next = session.extend(new int[] {5});
              int[] longer = Arrays.copyOf(all, all.length + 1);
              longer[all.length] = 5;
              assertThat(next).containsExactly(fullForward(model, longer), Offset.offset(1e-3f));
            }
          }
        });
  }

  @ParameterizedTest
  @MethodSource("policies")
  void memoryStaysFlatHoweverLongThePrompt(Policy policy) {
    if (!policy.evicts() || policy instanceof Policy.SnapKvWhole || policy.headFloor() < 1) {
      return; // these keep everything until the prompt was read, or have heads of many lengths
    }
    RandomGenerator random = new Seeds(3).stream("flat");
    try (TinyModel model = new TinyModel(random);
        RetainingHeads heads = RetainingHeads.fresh(model.decoder().config(), 16, random)) {
      List<Long> peaks = new ArrayList<>();
      for (int length : new int[] {300, 3000}) {
        try (Session session = session(model, policy, CacheSettings.of(40, 24), heads)) {
          session.prefill(tokens(random, length), tokens(random, 5));
          peaks.add(session.peakBytes());
          assertThat(session.length()).isLessThanOrEqualTo(40 + 5);
        }
      }
      assertThat(peaks.get(1)).isEqualTo(peaks.get(0));
      // 64 entries of room, 3 layers, 2 heads of 8 floats, keys and values
      assertThat(peaks.getFirst()).isEqualTo(64L * 3 * 2 * 8 * 4 * 2);
    }
  }

  @Test
  void severalSequencesStepTogetherAsEachAlone() {
    Cases.run(
        3,
        random -> {
          try (TinyModel model = new TinyModel(random)) {
            List<Session> together = new ArrayList<>();
            List<float[]> alone = new ArrayList<>();
            int[] next = tokens(random, 3);
            for (int i = 0; i < 3; i++) {
              int[] prompt = tokens(random, 20 + 9 * i);
              Policy policy = i == 1 ? new Policy.Full() : new Policy.HeavyHitters();
              for (boolean joined : new boolean[] {true, false}) {
                Session session =
                    new Session(model.decoder(), policy, CacheSettings.of(16, 8), null, null);
                session.prefill(prompt, new int[0]);
                if (joined) {
                  together.add(session);
                } else {
                  alone.add(session.extend(new int[] {next[i]}));
                  session.close();
                }
              }
            }
            List<float[]> logits = Session.step(together, next);
            for (int i = 0; i < 3; i++) {
              assertThat(logits.get(i)).containsExactly(alone.get(i), Offset.offset(1e-3f));
            }
            together.forEach(Session::close);
          }
        });
  }

  /// Leaves NaN where no entry is yet, as memory that was used before may hold.
  private static void spoilRoom(Session session) {
    try (TensorScope scope = TensorScope.open()) {
      for (LayerCache cache : session.caches()) {
        cache.reserveExactly(2 * RecordedStep.ROOM);
        for (Tensor block : Objects.requireNonNull(cache.blocks())) {
          long length = cache.length();
          block.narrow(1, length, block.size(1) - length).fill_(new Scalar(Double.NaN));
        }
      }
    }
  }

  @Test
  void aRecordedStepAnswersAsOperationsOneByOne() {
    Cases.run(
        3,
        random -> {
          try (TinyModel model = new TinyModel(random)) {
            int[] prompt = tokens(random, 70);
            int[] answer = tokens(random, 9);
            CacheSettings settings = CacheSettings.of(24, 16).withPyramid(2);
            for (Policy policy : List.of(new Policy.Full(), new Policy.HeavyHitters())) {
              try (Session plain = new Session(model.decoder(), policy, settings, null, null);
                  Session recorded = new Session(model.decoder(), policy, settings, null, null)) {
                recorded.recordSteps();
                plain.prefill(prompt, new int[0]);
                recorded.prefill(prompt, new int[0]);
                spoilRoom(recorded);
                for (int token : answer) {
                  assertThat(recorded.extend(new int[] {token}))
                      .containsExactly(plain.extend(new int[] {token}), Offset.offset(1e-3f));
                }
                assertThat(recorded.stepping()).contains("no GPU");
                // a question after the answer, then single tokens again
                int[] question = tokens(random, 5);
                assertThat(recorded.extend(question))
                    .containsExactly(plain.extend(question), Offset.offset(1e-3f));
                assertThat(recorded.extend(new int[] {3}))
                    .containsExactly(plain.extend(new int[] {3}), Offset.offset(1e-3f));
              }
            }
          }
        });
  }

  @Test
  void aForkAnswersAsItsOrigin() {
    RandomGenerator random = new Seeds(4).stream("fork");
    try (TinyModel model = new TinyModel(random);
        Session session =
            new Session(
                model.decoder(), new Policy.StreamingLlm(), CacheSettings.of(16, 8), null, null)) {
      session.prefill(tokens(random, 50), new int[0]);
      int[] question = tokens(random, 4);
      try (Session fork = session.fork(null)) {
        float[] first = fork.extend(question);
        assertThat(session.extend(question)).containsExactly(first, Offset.offset(1e-5f));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("policies")
  void aStoredCacheAndAForkAnswerAsTheirOrigin(Policy policy, @TempDir Path folder) {
    RandomGenerator random = new Seeds(4).stream("stored" + policy.label());
    try (TinyModel model = new TinyModel(random);
        RetainingHeads heads = RetainingHeads.fresh(model.decoder().config(), 16, random);
        Session session = session(model, policy, CacheSettings.of(16, 8), heads)) {
      session.prefill(tokens(random, 70), tokens(random, 3));
      Path file = folder.resolve("cache.safetensors");
      session.save(file);
      int[] question = tokens(random, 4);
      try (Session fork = session.fork(heads);
          Session stored = Session.load(file, model.decoder(), heads)) {
        assertThat(stored.policy().label()).isEqualTo(policy.label());
        assertThat(stored.seen()).isEqualTo(session.seen());
        float[] first = session.extend(question);
        assertThat(fork.extend(question)).containsExactly(first, Offset.offset(1e-4f));
        assertThat(stored.extend(question)).containsExactly(first, Offset.offset(1e-4f));
        float[] next = session.extend(new int[] {9});
        assertThat(fork.extend(new int[] {9})).containsExactly(next, Offset.offset(1e-4f));
        assertThat(stored.extend(new int[] {9})).containsExactly(next, Offset.offset(1e-4f));
      }
    }
  }

  @Test
  void streamingKeepsSinksAndTheNewest() {
    RandomGenerator random = new Seeds(5).stream("streaming");
    try (TinyModel model = new TinyModel(random);
        Session session =
            new Session(
                model.decoder(),
                new Policy.StreamingLlm(),
                CacheSettings.of(10, 7).withSinks(2),
                null,
                null)) {
      session.prefill(tokens(random, 33), new int[0]);
      try (TensorScope scope = TensorScope.open()) {
        float[] scores = Tensors.floats(session.caches().getFirst().scores());
        assertThat(Arrays.copyOf(scores, 10)).containsExactly(0, 1, 25, 26, 27, 28, 29, 30, 31, 32);
      }
    }
  }

  @Test
  void theOracleKeepsWhatTheAnswerLooksAt() {
    RandomGenerator random = new Seeds(6).stream("oracle");
    try (TinyModel model = new TinyModel(random);
        TensorScope scope = TensorScope.open()) {
      int[] ids = tokens(random, 60);
      Tensor[] labels = NoGrad.supply(() -> Importance.labels(model.decoder(), ids, 50));
      try (Session session =
          new Session(
              model.decoder(), new Policy.Oracle(0), CacheSettings.of(12, 10), null, labels)) {
        session.prefill(Arrays.copyOf(ids, 50), new int[0]);
        float[] kept = Tensors.floats(session.caches().get(1).scores().narrow(0, 0, 1));
        float[] all = Tensors.floats(labels[1].narrow(0, 0, 1));
        float[] rest = Arrays.copyOfRange(all, 1, 50);
        Arrays.sort(rest);
        float[] others = Arrays.copyOfRange(kept, 1, 12);
        Arrays.sort(others);
        assertThat(others)
            .containsExactly(Arrays.copyOfRange(rest, 49 - 11, 49), Offset.offset(1e-5f));
      }
    }
  }

  @Test
  void badSettingsAreToldInOneLine() {
    assertThatThrownBy(() -> CacheSettings.of(4, 8).withSinks(4))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("a budget of 4 entries cannot hold 4 sinks");
    RandomGenerator random = new Seeds(7).stream("bad");
    try (TinyModel model = new TinyModel(random);
        Session session =
            new Session(
                model.decoder(), new Policy.Tova(), CacheSettings.of(250, 20), null, null)) {
      assertThatThrownBy(() -> session.prefill(tokens(random, 20), new int[0]))
          .isInstanceOf(SpillwayException.class)
          .hasMessageContaining("need 270 positions, the model has 256");
      assertThatThrownBy(() ->
              new Session(
                  model.decoder(), new Policy.Locret(0.4), CacheSettings.of(20, 20), null, null))
          .isInstanceOf(SpillwayException.class)
          .hasMessageContaining("needs trained heads");
    }
  }

  @Test
  void closedSessionsLeaveNothingBehind() {
    RandomGenerator random = new Seeds(8).stream("leak");
    try (TinyModel model = new TinyModel(random)) {
      long before = 0;
      for (int round = 0; round < 4; round++) {
        try (Session session =
            new Session(
                model.decoder(), new Policy.SnapKv(8, 5), CacheSettings.of(16, 8), null, null)) {
          session.prefill(tokens(random, 60), tokens(random, 3));
        }
        if (round == 1) {
          before = Torch.liveObjects();
        }
      }
      assertThat(Torch.liveObjects()).isEqualTo(before);
    }
  }
}
