package io.spillway.server.http;

import io.helidon.common.buffers.DataReader;
import io.helidon.webserver.CloseConnectionException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Notices that the client of the request at hand has left while nothing is written to it.
///
/// A socket tells so only to whoever reads it. The handler's thread reads without waiting; bytes
/// that come are the beginning of the client's next request and are kept for the web server, which
/// reads on the same thread once the handler returns. A client that closes only its sending side
/// counts as one that has left.
public final class ClientWatch {
  /// How often a waiting handler looks for its client.
  private static final long WATCH_MILLIS = 200;

  /// Bytes of next requests that are kept; behind them a client is no longer watched.
  private static final int MOST_KEPT = 1 << 16;

  private static final ThreadLocal<@Nullable ClientWatch> CURRENT = new ThreadLocal<>();

  private final SocketChannel channel;
  private final ByteBuffer buffer = ByteBuffer.allocate(2048);
  private final Deque<byte[]> kept = new ArrayDeque<>();
  private int keptBytes;
  private boolean left;
  private long lookedNanos = System.nanoTime();

  private ClientWatch(SocketChannel channel) {
    this.channel = channel;
  }

  /// Watches the connection that this thread serves from now on; what is read through the answer
  /// begins with the bytes that the watch met.
  static DataReader begin(SocketChannel channel, DataReader inner) {
    ClientWatch watch = new ClientWatch(channel);
    CURRENT.set(watch);
    return DataReader.create(() -> watch.next(inner));
  }

  private byte[] next(DataReader inner) {
    byte[] first = kept.poll();
    if (first != null) {
      keptBytes -= first.length;
      return first;
    }
    inner.ensureAvailable();
    return inner.readBytes(inner.available());
  }

  /// The next element, waiting for it as long as this thread's client is there.
  ///
  /// @param gone runs when the client has left
  /// @throws CloseConnectionException then, which ends the exchange
  public static <E> E take(BlockingQueue<E> from, Runnable gone) throws InterruptedException {
    ClientWatch watch = CURRENT.get();
    if (watch == null) {
      return from.take(); // not a thread of the web server
    }
    while (true) {
      if (watch.isDue() && watch.hasLeft()) { // elements may come faster than it is due
        gone.run();
        throw new CloseConnectionException("the client has left");
      }
      E element = from.poll(WATCH_MILLIS, TimeUnit.MILLISECONDS);
      if (element != null) {
        return element;
      }
    }
  }

  private boolean isDue() {
    long now = System.nanoTime();
    boolean due = now - lookedNanos >= WATCH_MILLIS * 1_000_000;
    lookedNanos = due ? now : lookedNanos;
    return due;
  }

  private boolean hasLeft() {
    try {
      channel.configureBlocking(false);
      try {
        int read = 1;
        while (!left && read > 0 && keptBytes < MOST_KEPT) {
          read = channel.read(buffer.clear());
          if (read > 0) {
            kept.add(Arrays.copyOf(buffer.array(), read));
            keptBytes += read;
          }
          left = read < 0;
        }
      } finally {
        channel.configureBlocking(true);
      }
    } catch (IOException e) { // reset or closed
      left = true;
    }
    return left;
  }
}
