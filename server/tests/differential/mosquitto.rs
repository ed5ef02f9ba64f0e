//! A Mosquitto on a free port, which lets everybody do everything.

use crate::support::eventually;
use std::{
    env, fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// A running Mosquitto; it ends with the test.
pub(crate) struct Mosquitto {
    child: Child,
    folder: PathBuf,
    pub(crate) address: SocketAddr,
}

impl Mosquitto {
    pub(crate) fn start() -> Self {
        let folder = env::temp_dir().join(format!("luxwire-differential-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        // It cannot be asked which free port it took; another program may take this one first, and then it does not start.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        // Started by root it would become somebody who may not read the folder. Without `set_tcp_nodelay` every second
        // answer would wait for an acknowledgement.
        let configuration = format!(
            "user root\nlistener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nsys_interval 0\n\
             set_tcp_nodelay true\n"
        );
        fs::write(folder.join("mosquitto.conf"), configuration).unwrap();
        let programs = env::var_os("LUXWIRE_MOSQUITTO_DIR").map(PathBuf::from).unwrap_or_default();
        let child = Command::new(programs.join("mosquitto"))
            .args(["-c", "mosquitto.conf"])
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("Mosquitto is needed ({error}): run `cargo xtask test`, which installs it")
            });
        let mosquitto = Self { child, folder, address: (Ipv4Addr::LOCALHOST, port).into() };
        eventually("Mosquitto listens", || TcpStream::connect(mosquitto.address).ok());
        mosquitto
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
