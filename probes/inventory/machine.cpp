#include "probes/inventory/machine.h"

#include "probes/inventory/tree.h"

namespace assay::inventory {

Machine gather_machine() {
    return gather_machine("/", read_cpuid());
}

Machine gather_machine(const std::filesystem::path& root, const CpuidFacts& cpuid) {
    Machine machine;
    machine.cpu = gather_cpu(root, cpuid);
    machine.topology = gather_topology(root);
    machine.memory = gather_memory(root);
    machine.accelerators = gather_accelerators(root);
    machine.blocks = gather_blocks(root);
    machine.nvme = gather_nvme(root);
    machine.interfaces = gather_interfaces(root);
    machine.rdma = gather_rdma(root);
    machine.platform = gather_platform(root, cpuid);
    machine.software = gather_software(root);
    machine.sees_pci = !names_in(root / "sys/bus/pci").empty();
    machine.sees_devices = !names_in(root / "sys/class").empty();
    return machine;
}

}  // namespace assay::inventory
