package io.spillway.tensor.group;

import io.spillway.platform.ErrorCode;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.launch.RankEnvironment;
import io.spillway.tensor.Devices;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Torch;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.util.Optional;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.chrono.Milliseconds;
import org.bytedeco.pytorch.Backend;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.GlooDeviceVector;
import org.bytedeco.pytorch.PrefixStore;
import org.bytedeco.pytorch.ProcessGroupGloo;
import org.bytedeco.pytorch.Store;
import org.bytedeco.pytorch.TCPStore;
import org.bytedeco.pytorch.TCPStoreOptions;
import org.bytedeco.pytorch.global.torch_gloo;
import org.bytedeco.pytorch.global.torch_nccl;
import org.bytedeco.pytorch.gloo.Device;
import org.bytedeco.pytorch.nccl.ProcessGroupNCCL;

/// The store at rank 0 and the native backends over it.
final class Connection implements AutoCloseable {
  private final RankEnvironment environment;
  private final TensorHolder held = new TensorHolder();
  private final Store store;

  private Connection(RankEnvironment environment, GroupOptions options) {
    this.environment = environment;
    try (TensorScope scope = TensorScope.open()) {
      TCPStoreOptions storeOptions =
          new TCPStoreOptions()
              .port((short) environment.masterPort())
              .isServer(environment.rank() == 0)
              .waitWorkers(false)
              .timeout(new Milliseconds(options.timeout().toMillis()));
      // A store made in Java has no reference count of its own: the first native holder owns it.
      // The
      // wrapper that a prefix hands back does count, so every group can share it.
      TCPStore made = new TCPStore(environment.masterAddr(), storeOptions);
      PrefixStore root = new PrefixStore("spillway", made);
      handOver(made);
      store = held.hold(scope.adopt(root.getUnderlyingStore()));
    }
  }

  static Connection open(RankEnvironment environment, GroupOptions options) {
    Torch.load();
    Loader.load(torch_gloo.class);
    try {
      return new Connection(environment, options);
    } catch (RuntimeException e) {
      throw new SpillwayException(
          ErrorCode.NOT_AVAILABLE,
          environment.rank() == 0
              ? String.format(
                  "rank 0 cannot listen at port %d: %s; choose another MASTER_PORT",
                  environment.masterPort(), firstLine(e))
              : String.format(
                  "rank %d cannot reach rank 0 at %s:%d within %d s: %s; is rank 0 running and is"
                      + " MASTER_ADDR its address?",
                  environment.rank(),
                  environment.masterAddr(),
                  environment.masterPort(),
                  options.timeout().toSeconds(),
                  firstLine(e)),
          e);
    }
  }

  private static String firstLine(RuntimeException e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
  }

  /// A native backend among `size` ranks that meet under `name`; it belongs to the innermost scope.
  Backend backend(GroupBackend kind, String name, int rank, int size, GroupOptions options) {
    PrefixStore prefix = new PrefixStore(name, store);
    Backend backend =
        switch (kind) {
          case GLOO -> gloo(prefix, rank, size, options);
          case NCCL -> nccl(prefix, rank, size, options);
        };
    handOver(prefix);
    return backend;
  }

  /// Makes Java forget an object that a native owner deletes: neither the scope, which gives back
  /// one of two references, nor the garbage collector touches it again.
  private static void handOver(Pointer made) {
    made.retainReference();
    made.deallocate(false);
  }

  private Backend gloo(Store store, int rank, int size, GroupOptions options) {
    ProcessGroupGloo.Options o =
        ProcessGroupGloo.Options.create(new Milliseconds(options.timeout().toMillis()));
    o.threads(options.threads());
    o.devices(new GlooDeviceVector(glooDevice(options)));
    return new ProcessGroupGloo(store, rank, size, o);
  }

  private Backend nccl(Store store, int rank, int size, GroupOptions options) {
    if (Devices.cudaCount() == 0) {
      throw SpillwayException.notAvailable(
          "NCCL needs a CUDA device: %s; use the gloo backend", Devices.whyNoCuda());
    }
    Loader.load(torch_nccl.class);
    ProcessGroupNCCL group =
        // high priority: exchanges begin although kernels that came first fill the GPU
        new ProcessGroupNCCL(store, rank, size, ProcessGroupNCCL.Options.create(true));
    group.setTimeout(new Milliseconds(options.timeout().toMillis()));
    // without it a barrier guesses a device from the rank, which is wrong in groups of some ranks
    group.setBoundDeviceId(new DeviceOptional(Devices.choose("cuda").torch()));
    return group;
  }

  private Device glooDevice(GroupOptions options) {
    Optional<String> network =
        options.network().or(() -> Optional.ofNullable(System.getenv("GLOO_SOCKET_IFNAME")));
    if (network.isEmpty()) {
      return ProcessGroupGloo.createDeviceForHostname(ownAddress());
    }
    String name = network.get().strip();
    try {
      return NetworkInterface.getByName(name) != null
          ? ProcessGroupGloo.createDeviceForInterface(name)
          : ProcessGroupGloo.createDeviceForHostname(name);
    } catch (RuntimeException | IOException e) {
      throw new SpillwayException(
          ErrorCode.NOT_AVAILABLE,
          "'"
              + name
              + "' is neither a network interface nor an own address of this host (ip addr lists"
              + " them)",
          e);
    }
  }

  /// The own address from which the master is reached; no packet is sent to find it.
  private String ownAddress() {
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.connect(new InetSocketAddress(environment.masterAddr(), environment.masterPort()));
      InetAddress local = socket.getLocalAddress();
      return local.isAnyLocalAddress() ? "127.0.0.1" : local.getHostAddress();
    } catch (IOException | java.io.UncheckedIOException e) {
      throw new SpillwayException(
          ErrorCode.NOT_AVAILABLE,
          "no route to MASTER_ADDR=" + environment.masterAddr() + ": " + e.getMessage(),
          e);
    }
  }

  @Override
  public void close() {
    held.close();
  }
}
