package io.spillway.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

class TensorScopeTest {
  @Test
  void multipliesMatrices() {
    try (TensorScope scope = TensorScope.open()) {
      Tensor a = Tensors.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
      Tensor b = Tensors.of(new float[] {1, 0, 0, 1, 1, 1}, 3, 2);
      assertThat(Tensors.floats(scope.keep(torch.matmul(a, b)))).containsExactly(4, 5, 10, 11);
    }
  }

  @Test
  void releasesEverythingButWhatWasKept() {
    try (TensorScope outer = TensorScope.open()) {
      Tensor kept;
      List<Tensor> inner = new ArrayList<>();
      try (TensorScope scope = TensorScope.open()) {
        Tensor a = torch.randn(new long[] {8, 8});
        inner.add(a);
        inner.add(a.mul(a));
        kept = scope.keep(a.add(a));
      }
      assertThat(inner).allMatch(t -> t.isNull());
      assertThat(kept.isNull()).isFalse();
      assertThat(kept.size(0)).isEqualTo(8);
      outer.close();
      assertThat(kept.isNull()).isTrue();
    }
  }

  @Test
  void keepInTheOutermostScopeHandsTheTensorToTheCaller() {
    Tensor mine = TensorScope.compute(() -> torch.ones(new long[] {4}));
    assertThat(mine.isNull()).isFalse();
    assertThat(Tensors.floats(mine)).containsExactly(1, 1, 1, 1);
    mine.close();
    assertThat(mine.isNull()).isTrue();
  }

  @Test
  void leaksNothingInTenThousandSteps() {
    try (TensorHolder weights = new TensorHolder()) {
      Tensor w;
      try (TensorScope scope = TensorScope.open()) {
        w = weights.hold(torch.randn(new long[] {64, 64}).set_requires_grad(true));
        scope.adopt(w);
        step(w);
      }
      long before = Torch.liveObjects();
      long bytes = residentBytes();
      for (int i = 0; i < 10_000; i++) {
        step(w);
      }
      assertThat(Torch.liveObjects()).isEqualTo(before);
      // each step makes about 100 kB, so a leak would show as 1 GB
      assertThat(residentBytes() - bytes).isLessThan(200_000_000L);
    }
  }

  private static void step(Tensor w) {
    TensorScope.run(() -> {
      Tensor x = torch.randn(new long[] {32, 64});
      Tensor loss = torch.matmul(x, w).relu().mean();
      loss.backward();
      try (NoGrad guard = NoGrad.begin()) {
        assertThat(guard).isNotNull();
        w.sub_(w.grad().mul(new org.bytedeco.pytorch.Scalar(0.01)));
        w.grad().zero_();
      }
    });
  }

  private static long residentBytes() {
    return org.bytedeco.javacpp.Pointer.physicalBytes();
  }

  @Test
  void holderOwnsBeyondScopes() {
    TensorHolder holder = new TensorHolder();
    Tensor first;
    Tensor second;
    try (TensorScope scope = TensorScope.open()) {
      first = holder.hold(torch.ones(new long[] {2}));
      second = holder.replace(first, scope.adopt(first.add(first)));
    }
    assertThat(first.isNull()).isTrue();
    assertThat(Tensors.floats(second)).containsExactly(2, 2);
    assertThat(holder.size()).isEqualTo(1);
    holder.close();
    assertThat(second.isNull()).isTrue();
    assertThatThrownBy(() -> holder.release(second)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void rejectsOtherThreadsWrongOrderAndVirtualThreads() throws InterruptedException {
    try (TensorScope outer = TensorScope.open()) {
      try (TensorScope inner = TensorScope.open()) {
        assertThatThrownBy(outer::close).hasMessageContaining("inner TensorScope first");
        Tensor t = torch.ones(new long[] {1});
        assertThat(thrownOn(Thread.ofPlatform().unstarted(() -> inner.keep(t))))
            .hasMessageContaining("another thread");
      }
      assertThat(thrownOn(Thread.ofVirtual().unstarted(() -> TensorScope.open().close())))
          .hasMessageContaining("virtual thread");
    }
  }

  private static Throwable thrownOn(Thread thread) throws InterruptedException {
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    thread.setUncaughtExceptionHandler((t, e) -> thrown.set(e));
    thread.start();
    thread.join();
    return java.util.Objects.requireNonNull(thrown.get(), "nothing was thrown");
  }
}
