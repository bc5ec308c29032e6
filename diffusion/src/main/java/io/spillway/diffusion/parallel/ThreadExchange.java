package io.spillway.diffusion.parallel;

import io.spillway.platform.ErrorCode;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// Ranks that are threads of one process, on the CPU or all on one GPU. The bytes really travel:
/// each message is copied out of the sender's tensor and into the receiver's, so results depend on
/// what was sent alone. Every collective is made of messages, which makes the count of bytes that
/// of a ring or direct exchange. On a GPU all threads queue on its default stream, which keeps the
/// copies in the order of the calls.
public final class ThreadExchange implements Exchange {
  /// A thread cannot die unheard, so this bounds only what is our own fault: a wait for a message
  /// that no rank ever sends. A rank that computes for long, or is stopped, is waited for.
  private static final int TIMEOUT_SECONDS = 1800;

  /// What the ranks of one job share.
  static final class Post {
    /// A message waits under who sent it to whom and the how many-th it is.
    private record Address(String channel, int from, int to, long number) {}

    private final Map<Address, CompletableFuture<Tensor>> boxes = new ConcurrentHashMap<>();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    private CompletableFuture<Tensor> box(String channel, int from, int to, long number) {
      return boxes.computeIfAbsent(
          new Address(channel, from, to, number), _ -> new CompletableFuture<>());
    }

    private Tensor take(String channel, int from, int to, long number) {
      Address address = new Address(channel, from, to, number);
      CompletableFuture<Tensor> box = box(channel, from, to, number);
      Throwable dead = failure.get();
      if (dead != null && !box.isDone()) {
        throw died(dead);
      }
      try {
        Tensor message = box.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
        boxes.remove(address);
        return message;
      } catch (TimeoutException e) {
        throw new SpillwayException(
            ErrorCode.NOT_AVAILABLE,
            "rank "
                + to
                + " waited "
                + TIMEOUT_SECONDS
                + " s for rank "
                + from
                + ", which sent nothing; the job ends",
            e);
      } catch (ExecutionException e) {
        throw died(e.getCause() == null ? e : e.getCause());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new SpillwayException(ErrorCode.INTERRUPTED, "rank " + to + " was interrupted", e);
      }
    }

    /// Ends every wait, now and later.
    void fail(int rank, Throwable cause) {
      Throwable dead = new RankDeath(rank, cause);
      failure.compareAndSet(null, dead);
      boxes.values().forEach(b -> b.completeExceptionally(dead));
    }

    private static SpillwayException died(Throwable dead) {
      return new SpillwayException(
          ErrorCode.NOT_AVAILABLE, String.valueOf(dead.getMessage()), dead);
    }
  }

  /// Tells which rank died first.
  static final class RankDeath extends RuntimeException {
    private static final long serialVersionUID = 1L;

    RankDeath(int rank, Throwable cause) {
      super("rank " + rank + " died (" + cause + "); the job ends", cause);
    }
  }

  private final Post post;
  private final String channel;
  private final int[] members; // ranks of the whole job
  private final int rank; // index into members
  private final AtomicLong sent;
  private final AtomicLong received;
  private final Map<Integer, Long> sends = new HashMap<>();
  private final Map<Integer, Long> receives = new HashMap<>();
  private int groups;

  private ThreadExchange(
      Post post, String channel, int[] members, int rank, AtomicLong sent, AtomicLong received) {
    this.post = post;
    this.channel = channel;
    this.members = members;
    this.rank = rank;
    this.sent = sent;
    this.received = received;
  }

  /// The exchanges of `size` ranks; each belongs to one thread.
  static List<ThreadExchange> ranks(int size, Post post) {
    int[] members = new int[size];
    java.util.Arrays.setAll(members, i -> i);
    List<ThreadExchange> all = new ArrayList<>();
    for (int r = 0; r < size; r++) {
      all.add(new ThreadExchange(post, "", members, r, new AtomicLong(), new AtomicLong()));
    }
    return all;
  }

  @Override
  public int rank() {
    return rank;
  }

  @Override
  public int size() {
    return members.length;
  }

  @Override
  public Pending send(Tensor data, int to) {
    long number = sends.merge(to, 1L, Long::sum);
    sent.addAndGet(bytes(data));
    try (TensorScope scope = TensorScope.open()) {
      assert scope != null;
      // the message belongs to nobody's scope until its receiver releases it
      post.box(channel, members[rank], members[to], number).complete(copy(data));
    }
    return Pending.DONE;
  }

  private static long bytes(Tensor t) {
    return t.numel() * t.element_size();
  }

  private static Tensor copy(Tensor data) {
    Tensor copy = data.detach().clone();
    copy.retainReference();
    return copy;
  }

  @Override
  public Pending receive(Tensor into, int from) {
    long number = receives.merge(from, 1L, Long::sum);
    into.retainReference(); // the wait may come after the scope that `into` was made in
    return () -> {
      Tensor message = post.take(channel, members[from], members[rank], number);
      if (bytes(message) != bytes(into)) {
        throw new IllegalStateException(
            "rank "
                + members[from]
                + " sent "
                + bytes(message)
                + " bytes where "
                + bytes(into)
                + " were expected");
      }
      received.addAndGet(bytes(into));
      try (TensorScope scope = TensorScope.open()) {
        assert scope != null;
        into.copy_(message.view(Tensors.shape(into)));
      }
      message.releaseReference();
      into.releaseReference();
    };
  }

  @Override
  public Pending allGather(Tensor mine, Tensor all) {
    List<Pending> pending = new ArrayList<>();
    for (int r = 0; r < size(); r++) {
      if (r != rank) {
        pending.add(send(mine, r));
        pending.add(receive(all.select(0, r), r));
      }
    }
    all.select(0, rank).copy_(mine);
    return () -> pending.forEach(Pending::await);
  }

  @Override
  public Pending allToAll(Tensor parts, Tensor into) {
    List<Pending> pending = new ArrayList<>();
    for (int r = 0; r < size(); r++) {
      if (r != rank) {
        pending.add(send(parts.select(0, r), r));
        pending.add(receive(into.select(0, r), r));
      }
    }
    into.select(0, rank).copy_(parts.select(0, rank));
    return () -> pending.forEach(Pending::await);
  }

  @Override
  public Pending allToAll(Tensor parts, long[] counts, Tensor into, long[] intoCounts) {
    List<Pending> pending = new ArrayList<>();
    long from = 0;
    long to = 0;
    for (int r = 0; r < size(); r++) {
      if (counts[r] > 0) {
        pending.add(send(parts.narrow(0, from, counts[r]), r));
      }
      if (intoCounts[r] > 0) {
        pending.add(receive(into.narrow(0, to, intoCounts[r]), r));
      }
      from += counts[r];
      to += intoCounts[r];
    }
    return () -> pending.forEach(Pending::await);
  }

  /// A ring: parts are summed on their way round, then the sums go round; the sum's order, and so
  /// its rounding, is the same on every rank.
  @Override
  public Pending allReduce(Tensor data) {
    int n = size();
    if (n == 1) {
      return Pending.DONE;
    }
    Tensor flat = data.view(-1);
    long length = flat.numel();
    int next = (rank + 1) % n;
    int previous = (rank + n - 1) % n;
    for (int round = 0; round < n - 1; round++) {
      send(part(flat, rank - round, length), next);
      Tensor theirs = part(flat, rank - round - 1, length);
      Tensor incoming = theirs.clone();
      receive(incoming, previous).await();
      theirs.add_(incoming);
    }
    for (int round = 0; round < n - 1; round++) {
      send(part(flat, rank + 1 - round, length), next);
      receive(part(flat, rank - round, length), previous).await();
    }
    return Pending.DONE;
  }

  private Tensor part(Tensor flat, int index, long length) {
    int n = size();
    int i = Math.floorMod(index, n);
    long begin = length * i / n;
    return flat.narrow(0, begin, length * (i + 1) / n - begin);
  }

  @Override
  public Exchange split(List<List<Integer>> partition) {
    List<Integer> ranks =
        partition.stream().filter(p -> p.contains(rank)).findFirst().orElseThrow();
    int own = ranks.indexOf(rank);
    groups++;
    int[] chosen = ranks.stream().mapToInt(r -> members[r]).toArray();
    String name = channel + "/" + groups;
    return new ThreadExchange(post, name, chosen, own, sent, received);
  }

  @Override
  public Traffic traffic() {
    return new Traffic(sent.get(), received.get());
  }

  /// Ends the job on every rank.
  void fail(Throwable cause) {
    post.fail(members[rank], cause);
  }

  @Override
  public void close() {}
}
