package io.spillway.training.run;

import io.spillway.kernels.AdamBuffers.MasterLayout;
import io.spillway.kernels.Precision;
import io.spillway.platform.units.Bytes;
import io.spillway.platform.units.BytesPerSecond;
import io.spillway.tensor.ComputeDevice;
import io.spillway.training.engine.CudaDevice;
import io.spillway.training.engine.Device;
import io.spillway.training.engine.DeviceSpec;
import io.spillway.training.engine.SimulatedDevice;
import io.spillway.training.plan.Rates;

/// Which device a run trains on.
public sealed interface TrainDevice {
  /// Opens it; the caller closes it.
  Device open();

  /// Whether there is a link that the optimizer's state may cross.
  boolean offloads();

  /// Parameters/s to which the CPU update is held back, infinity for as fast as it can.
  default double hostUpdateRate() {
    return Double.POSITIVE_INFINITY;
  }

  /// Bytes/s to which state files are held back.
  default double diskRate() {
    return Double.POSITIVE_INFINITY;
  }

  /// Measures the rates that the performance model needs.
  ///
  /// @param device this device, opened
  DeviceRates rates(Device device, Precision precision, MasterLayout master, int threads);

  /// The rates of a plan, which may assume a device that this host could not simulate.
  default Rates plannedRates(Device device, Precision precision, MasterLayout master, int threads) {
    return rates(device, precision, master, threads).together();
  }

  /// The host's own processor: nothing is offloaded.
  record Host() implements TrainDevice {
    @Override
    public Device open() {
      return new SimulatedDevice(
          new DeviceSpec(
              new Bytes(Long.MAX_VALUE / 4), new BytesPerSecond(1e15), true, 1e15, 1e15, 1e15));
    }

    @Override
    public boolean offloads() {
      return false;
    }

    @Override
    public DeviceRates rates(Device device, Precision precision, MasterLayout master, int threads) {
      throw new IllegalStateException("the host's processor has no link");
    }
  }

  /// A device that exists in host memory only.
  record Simulated(DeviceSpec spec) implements TrainDevice {
    @Override
    public Device open() {
      return new SimulatedDevice(spec);
    }

    @Override
    public boolean offloads() {
      return true;
    }

    @Override
    public double hostUpdateRate() {
      return spec.hostUpdateRate();
    }

    @Override
    public double diskRate() {
      return spec.diskRate();
    }

    @Override
    public DeviceRates rates(Device device, Precision precision, MasterLayout master, int threads) {
      return DeviceRates.same(Calibration.measure(spec, precision, master, threads));
    }

    @Override
    public Rates plannedRates(
        Device device, Precision precision, MasterLayout master, int threads) {
      return rates(device, precision, master, threads)
          .together()
          .withLink(spec.link().bytesPerSecond(), spec.updateRate());
    }
  }

  /// An NVIDIA GPU.
  ///
  /// @param processor which
  /// @param budget bytes of its memory that may be used
  record Cuda(ComputeDevice processor, long budget) implements TrainDevice {
    @Override
    public Device open() {
      return new CudaDevice(processor, budget);
    }

    @Override
    public boolean offloads() {
      return true;
    }

    @Override
    public DeviceRates rates(Device device, Precision precision, MasterLayout master, int threads) {
      return DeviceCalibration.measure(device, precision, master, threads).rates();
    }
  }
}
