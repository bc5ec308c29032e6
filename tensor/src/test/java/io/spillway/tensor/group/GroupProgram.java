package io.spillway.tensor.group;

import io.spillway.platform.launch.RankEnvironment;
import io.spillway.tensor.DType;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Torch;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// What the ranks of [ProcessGroupIT] run; the first argument chooses the scene.
public final class GroupProgram {
  private GroupProgram() {}

  public static void main(String[] args) throws InterruptedException {
    GroupOptions options = GroupOptions.defaults().withTimeout(Duration.ofSeconds(60));
    if (args[0].equals("timeout")) {
      options = options.withTimeout(Duration.ofSeconds(2));
    }
    try (NoGrad _ = NoGrad.begin();
        ProcessGroup world =
            ProcessGroup.init(GroupBackend.GLOO, RankEnvironment.current(), options);
        TensorScope _ = TensorScope.open()) {
      switch (args[0]) {
        case "all" -> collectives(world);
        case "groups" -> groups(world);
        case "leak" -> leak(world);
        case "death", "timeout" -> {
          world.barrier();
          if (world.rank() == 1) {
            if (args[0].equals("timeout")) {
              Thread.sleep(8_000);
            }
            Runtime.getRuntime().halt(0);
          }
          world.allReduce(torch.ones(new long[] {4}), Reduction.SUM);
        }
        default -> throw new IllegalArgumentException(args[0]);
      }
      world.barrier();
    } catch (io.spillway.platform.SpillwayException e) {
      System.out.println(e.code() + " " + e.getMessage());
    }
  }

  private static Tensor filled(double value, long... shape) {
    return torch.full(shape, new Scalar(value)).to(torch.ScalarType.Float);
  }

  private static void say(String what, Tensor t) {
    System.out.println(what + " " + Arrays.toString(Tensors.floats(t)));
  }

  private static void collectives(ProcessGroup world) {
    int r = world.rank();
    Tensor t = filled(r + 1, 2);
    world.allReduce(t, Reduction.SUM);
    say("sum", t);
    t = filled(r, 2);
    world.allReduce(t, Reduction.MEAN);
    say("mean", t);
    t = Tensors.to(filled(r + 1, 1), DType.BF16);
    world.allReduce(t, Reduction.MAX);
    say("max", t);
    Tensor out = filled(0, 3);
    world.allGather(out, filled(r * 10.0, 1));
    say("gather", out);
    Tensor in = Tensors.of(new float[] {r, r + 10f, r + 20f}, 3);
    Tensor part = filled(0, 1);
    world.reduceScatter(part, in, Reduction.SUM);
    say("scatter", part);
    out = filled(0, 3);
    world.allToAll(out, in);
    say("exchange", out);
    Tensor uneven = filled(0, 3 * (r + 1));
    // every rank sends i + 1 rows to rank i
    long[] arrive = new long[3];
    Arrays.fill(arrive, r + 1L);
    world.allToAll(uneven, filled(r, 6), arrive, new long[] {1, 2, 3});
    say("uneven", uneven);
    t = filled(r, 1);
    world.broadcast(t, 2);
    say("broadcast", t);
    t = filled(3 * r, 1);
    world.reduceAsync(t, 1, Reduction.MEAN).await();
    say("reduce", r == 1 ? t : filled(-1, 1));
    Tensor got = filled(-1, 1);
    Pending receive = world.receiveAsync(got, (r + 2) % 3, 7);
    Pending send = world.sendAsync(filled(r, 1), (r + 1) % 3, 7);
    receive.await();
    send.await();
    say("ring", got);
    System.out.println("sent " + world.traffic().of(Traffic.Operation.ALL_GATHER).sentBytes());
    System.out.println("reduced " + world.traffic().of(Traffic.Operation.ALL_REDUCE));
    try {
      world.allReduce(torch.zeros(new long[] {2, 3}).t(), Reduction.SUM);
    } catch (IllegalArgumentException e) {
      System.out.println(e.getMessage());
    }
  }

  private static void groups(ProcessGroup world) {
    try (ProcessGroup row = world.split(List.of(List.of(0, 1), List.of(2, 3)));
        ProcessGroup column = world.split(List.of(List.of(0, 2), List.of(3, 1)))) {
      Tensor t = filled(1 << world.rank(), 1);
      row.allReduce(t, Reduction.SUM);
      say("row", t);
      column.allReduce(t, Reduction.SUM);
      say("column " + column.rank() + " " + column.ranks(), t);
      world.barrier();
    }
    System.out.println("calls " + world.traffic().of(Traffic.Operation.ALL_REDUCE).calls());
  }

  private static void leak(ProcessGroup world) {
    Tensor t = filled(1, 1000);
    Tensor out = filled(1, 2000);
    long before = 0;
    for (int i = 0; i < 400; i++) {
      if (i == 50) {
        before = Torch.liveObjects();
      }
      world.allReduce(t, Reduction.MEAN);
      world.allGather(out, t);
      if (world.rank() == 0) {
        world.send(t, 1, 0);
      } else {
        world.receive(t, 0, 0);
      }
    }
    System.out.println("leaked " + (Torch.liveObjects() - before));
  }
}
